"""The proof: what was applied, applied again in an empty cluster, must give the live schema.

Then the pending files run there too: what comes out is what live must be after its own migration.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import psycopg

from agent.database import accepted, apply, ledger, statements
from agent.database.backup.tools import Programs
from agent.database.connect import Connection, session
from agent.database.fingerprint import catalog
from agent.database.fingerprint.compare import Difference, compare
from agent.database.fingerprint.model import Fingerprint, Key
from agent.database.frame import Limits, Run
from agent.database.proof import elsewhere, likeness, platform, room, store, witness
from agent.database.proof.elsewhere import Place
from agent.database.proof.likeness import Likeness
from agent.database.proof.witness import Heard
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import Applied, File, stem, version_of
from agent.model.migrations import compare as compare_files

_UNKNOWN_EXTENSION: Final = {"0A000", "58P01"}
_ENVIRONMENT: Final = ("database", "setting", "default privileges")
_LIMITS: Final = Limits(statement_seconds=600, queue_seconds=5)


@dataclass(frozen=True, slots=True)
class Live:
    """The live database as it is before anything is done to it.

    Attributes:
        platform: the schemas that a platform made, on which migrations build.
        accepted: differences that somebody accepted when the database was taken over.
        platform_sql: what makes the platform's schemas; None: live is asked.
    """

    rows: tuple[Applied, ...]
    taken: Fingerprint
    stored: store.Stored | None
    likeness: Likeness
    platform: tuple[str, ...] = ()
    accepted: Mapping[Key, str] = field(default_factory=dict)
    platform_sql: str | None = None

    def told(self, rebuilt: Fingerprint, live: Fingerprint | None = None) -> list[Difference]:
        """Return the differences from a rebuild, without what live had before its first migration."""
        taken = live or self.taken
        found = compare(taken, rebuilt)
        spared = likeness.ignorable(taken, rebuilt, self.likeness.baseline, [item.key for item in found])
        spared |= accepted.spared(self.accepted, taken)
        named = self.likeness.named
        return [replace(item, sql=named(item.sql)) for item in found if item.key not in spared]


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a rebuild.

    Attributes:
        differences: between live and what its files give; empty when the proof holds.
        promised: what live must be once the pending files are applied.
        heard: what the second witness said; None where it was not asked.
    """

    differences: tuple[Difference, ...]
    promised: Fingerprint
    seconds: float
    heard: Heard | None = None


def look(connection: Connection, app_role: str) -> Live:
    """Read the live database. Raises ``IkomaError("database.fingerprint")`` for a damaged baseline."""
    rows = tuple(ledger.read(connection))
    taken = catalog.take(connection, app_role=app_role)
    baseline = store.load(connection, "baseline") or _supposed(taken, ledger.exists(connection))
    like = likeness.read(connection, baseline, app_role)
    known = accepted.read(connection)
    return Live(rows, taken, store.find(connection, "schema"), like, platform.schemas(connection), known)


def as_applied(files: Sequence[File]) -> tuple[Applied, ...]:
    """Return the rows of a ledger in which ``files`` stand. Pure."""
    return tuple(Applied(version_of(item.file), stem(item.file), item.sha256) for item in files)


def taken_over(live: Live, files: Sequence[File]) -> Live:
    """Return a database that others have made as if ``files`` had made it: nothing of it is given. Pure."""
    return replace(live, rows=as_applied(files), likeness=replace(live.likeness, baseline=_supposed(live.taken, True)))


def _supposed(taken: Fingerprint, migrated: bool) -> Fingerprint:
    """Return what live was before its first migration, where nobody kept it: its surroundings alone."""
    if not migrated:
        return taken
    kept = {
        key: text for key, text in taken.objects.items()
        if key.kind in _ENVIRONMENT or key == ("schema", "", "public") or key == ("extension", "", "plpgsql")
        or (key.kind == "extension" and catalog.names_platform(str(taken.facts(key).get("schema"))))
    }  # fmt: skip
    return Fingerprint(kept, taken.major)


def rebuild(run: Run, live: Live, state: Path, *, second_witness: bool = False) -> Proof:
    """Prove that live can be rebuilt from the files of ``run``, and find what it will be after the pending ones.

    Args:
        run: the migration as it would run against live; live itself is not touched.
        state: the agent's state folder.
        second_witness: where no difference is found, ask pg_dump as well.

    Raises:
        IkomaError: ``proof.no_extension``, or as ``elsewhere.cluster``, when nothing can be said;
            ``database.not_rebuildable`` when a file does not run in an empty database, with file and line.
    """
    started = time.monotonic()
    comparison = compare_files(run.files, live.rows)
    pending = set(comparison.pending)
    applied = [item for item in run.files if item.file not in pending]
    with _empty(run, live, state) as (dsn, programs):
        rebuilt = _after(run, dsn, applied)
        found = tuple(live.told(rebuilt))
        heard = _heard(run, live, rebuilt, programs) if second_witness and not found else None
        promised = _after(run, dsn, run.files) if pending else rebuilt
    return Proof(found, promised, time.monotonic() - started, heard)


def _heard(run: Run, live: Live, rebuilt: Fingerprint, programs: Programs) -> Heard:
    """Ask pg_dump, which knows nothing of differences that are spared: so only where there are none at all."""
    if compare(live.taken, rebuilt):
        return Heard(None, reason="some differences are accepted, or older than the first migration")
    return witness.hear(run, live.taken, programs)


@contextmanager
def _empty(run: Run, live: Live, state: Path) -> Iterator[tuple[Dsn, Programs]]:
    """Yield the migrator's connection to an empty database that is otherwise like live, and the programs for it."""
    like = live.likeness
    most = room.OWN_MB + int(run.max_gb * 1024)
    place = Place(run.dsn, state, run.docker_socket, like.may_run_programs, most)
    with elsewhere.cluster(place, like) as made:
        with session(made.admin, "ikoma:proof") as connection:
            likeness.imitate(connection, like, _made_roles(run))
        inside = replace(made.admin, database=like.database)
        with session(inside, "ikoma:proof") as connection:
            _settle(connection, like)
        known = live.platform_sql
        said = platform.dump(run.dsn, live.platform, like.major, run.docker_socket) if known is None else known
        programs = made.programs.inside(like.database)
        platform.load(programs, said)
        yield replace(inside, user=like.migrator), programs


def _settle(connection: Connection, like: Likeness) -> None:
    """Twice: what a new schema holds can be set right once it is there."""
    for _ in range(2):
        bare = catalog.take(connection, owner=like.migrator, app_role=like.app_role)
        try:
            if not likeness.settle(connection, like, bare):
                return
        except psycopg.Error as error:
            if error.sqlstate not in _UNKNOWN_EXTENSION:
                raise
            raise IkomaError("proof.no_extension", extension=_named(error), major=like.major) from None


def _named(error: psycopg.Error) -> str:
    text = error.diag.message_primary or ""
    return text.split('"')[1] if text.count('"') >= 2 else text


def _after(run: Run, dsn: Dsn, files: Sequence[File]) -> Fingerprint:
    """Apply ``files`` and return what they give."""
    there = replace(run, dsn=dsn, files=files, limits=_LIMITS, say=len, remember=False)
    if files:
        try:
            apply.migrate(there)
        except IkomaError as error:
            raise _not_rebuildable(error) from None
    with session(dsn, "ikoma:proof") as connection:
        return catalog.take(connection, app_role=run.app_role)


def _not_rebuildable(error: IkomaError) -> IkomaError:
    if error.id != "migration.sql":
        return error
    known = {name: error.params[name] for name in ("file", "line", "reason", "statement")}
    return IkomaError("database.not_rebuildable", **known)


def _made_roles(run: Run) -> set[str]:
    """Return the roles that the files themselves create outside of any condition."""
    found: set[str] = set()
    for item in run.files:
        raw = (run.folder / item.file).read_bytes()
        if b"role" in raw.lower() or b"user" in raw.lower():
            found |= statements.made_roles(statements.decode(raw, item.file))
    return found - {run.dsn.user, run.app_role}
