"""Does a backup restore? Put into a throw-away cluster, compared with what was read when it was made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from agent.database.backup import facts, store
from agent.database.backup.source import Source
from agent.database.backup.store import Backup
from agent.database.backup.tools import Programs
from agent.database.connect import Connection, session
from agent.database.fingerprint import catalog
from agent.database.fingerprint.compare import compare
from agent.database.fingerprint.model import Fingerprint, unpack
from agent.database.proof import elsewhere, likeness, room, scratch
from agent.database.proof.elsewhere import Place
from agent.database.proof.likeness import Likeness
from agent.host import platform
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

AROUND: Final = ("database", "setting")
"""What belongs to a database and not to its dump."""

_SHOWN: Final = 5
_MB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verified:
    """How a verification ended."""

    seconds: float
    tables: int
    rows: int


def verify(source: Source, backup: Backup, seconds: float = 3600.0) -> Verified:
    """Restore a backup somewhere else, compare, and remember that it was done. Live is only asked what it is like.

    Raises:
        IkomaError: ``backup.damaged``, ``backup.not_same``, ``backup.failed`` when it does not restore;
            ``backup.partial`` for one of a few tables; ``proof.…``, ``backup.no_scratch_disk`` and
            ``backup.over_trial`` when nothing can be said.
    """
    begun = time.monotonic()
    if backup.tables:
        raise IkomaError("backup.partial", name=backup.name, tables=", ".join(backup.tables))
    try:
        _verified(source, backup, seconds)
    except IkomaError as error:
        if error.id in ("backup.damaged", "backup.not_same", "backup.failed"):
            _remember(source, backup, error.id)
        raise
    _remember(source, backup, "")
    return Verified(time.monotonic() - begun, len(backup.rows), sum(backup.rows.values()))


def _remember(source: Source, backup: Backup, reason: str) -> None:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    store.keep(source.folder, replace(backup, verified={"at": at, "ok": not reason, "reason": reason}))


def _verified(source: Source, backup: Backup, seconds: float) -> None:
    path = store.check(source.folder, backup)
    wanted = unpack(store.schema(source.folder, backup.name).read_bytes())
    with session(source.strongest, source.session_name) as connection:
        like = likeness.read(connection, Fingerprint({}, backup.major), source.app_role)
    like = replace(like, migrator=source.dsn.user, database=backup.database)
    try:
        with _empty(source, backup, like) as (dsn, programs):
            programs.read(path, programs.argv("pg_restore", "--exit-on-error", "--no-subscriptions"), seconds)
            with session(dsn, "ikoma:verify") as connection:
                same(connection, backup, wanted, source)
    except IkomaError as error:
        raise _too_big(error, backup) from None


def _too_big(error: IkomaError, backup: Backup) -> IkomaError:
    """Return what it means for a backup that its throw-away cluster was stopped: here no contract says how much."""
    if error.id != "proof.over_disk":
        return error
    return IkomaError("backup.over_trial", name=backup.name, size=backup.size // _MB, **error.params)


@contextmanager
def _empty(source: Source, backup: Backup, like: Likeness) -> Iterator[tuple[Dsn, Programs]]:
    """Yield the superuser's connection to an empty database like live in a throw-away cluster, and programs there."""
    free, needed = platform.free_mb(scratch.base(source.state)), backup.size // _MB * 3 // 2 + scratch.NEEDED_MB
    if free < needed:
        raise IkomaError("backup.no_scratch_disk", free=free, needed=needed)
    place = Place(source.strongest, source.state, source.docker_socket, most_mb=room.holding(backup.size))
    with elsewhere.cluster(place, like) as made:
        with session(made.admin, "ikoma:verify") as connection:
            likeness.imitate(connection, like, set())
        yield replace(made.admin, database=like.database), made.programs.inside(like.database)


def same(connection: Connection, backup: Backup, wanted: Fingerprint, source: Source) -> None:
    """Compare a restored database with what was read when it was dumped. Raises ``IkomaError("backup.not_same")``."""
    taken = catalog.take(connection, owner=source.dsn.user, app_role=source.app_role)
    differing = [item.title for item in compare(wanted, taken) if item.key.kind not in AROUND]
    counted = facts.rows(connection)
    differing += [f"{name} ({count} → {counted.get(name)})" for name, count in sorted(backup.rows.items())
                  if counted.get(name) != count]  # fmt: skip
    if differing:
        shown = ", ".join([*differing[:_SHOWN], "…"] if len(differing) > _SHOWN else differing)
        raise IkomaError("backup.not_same", name=backup.name, count=len(differing), objects=shown)
