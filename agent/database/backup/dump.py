"""Making a backup: everything in one snapshot, a whole file or none."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.database.backup import facts, names, store, tools
from agent.database.backup.facts import Facts
from agent.database.backup.source import Source
from agent.database.backup.store import Backup
from agent.database.connect import session
from agent.database.fingerprint import catalog
from agent.database.fingerprint.model import KEPT, Fingerprint
from agent.host.files import sync_folder, write_atomic
from agent.model.errors import Misuse

FORMAT: Final = ("--format=custom", "--compress=1", f"--exclude-schema={KEPT}*")
LOCK_MS: Final = 10_000
"""How long a dump waits for a table that somebody changes; then it fails instead of queueing before others."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        release: the release that serves now.
        before: the release whose migrations follow.
        tables: only these (``schema.table``); none: the whole database.
        seconds: after which it is given up.
    """

    name: str
    kind: str
    release: str = ""
    before: str = ""
    tables: Sequence[str] = ()
    seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class _Moment:
    """What was read in the dump's own snapshot, and the snapshot's name."""

    facts: Facts
    taken: Fingerprint
    major: int
    snapshot: str


def make(source: Source, wanted: Wanted) -> Backup:
    """Make a backup; the target's lock must be held.

    Raises:
        Misuse: ``backup.name``; ``backup.exists`` when one has the name already.
        IkomaError: ``backup.no_programs``, ``backup.disk_full``, ``backup.failed``, ``process.timeout``; the faults of
            a connection. Nothing is left of it then.
    """
    folder = source.folder
    if store.exists(folder, wanted.name):
        raise Misuse("backup.exists", name=wanted.name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store.sweep(folder)
    begun = time.monotonic()
    try:
        with _moment(source) as moment:
            partial = _dumped(source, wanted, moment)
        return _kept(source, wanted, moment, partial, time.monotonic() - begun)
    except BaseException:
        if not store.exists(folder, wanted.name):
            store.sweep(folder)
        raise


@contextmanager
def _moment(source: Source) -> Iterator[_Moment]:
    """Yield what the database is in one snapshot, held for as long as the block runs."""
    owner, app = source.dsn.user, source.app_role
    with session(source.strongest, source.session_name) as second:
        taken = catalog.take(second, owner=owner, app_role=app)
    with session(source.strongest, source.session_name) as connection:
        connection.execute(facts.BEGIN)
        row: Any = connection.execute("select pg_export_snapshot()").fetchone()
        found = facts.read(connection)
        yield _Moment(found, taken, connection.info.server_version // 10000, str(row[0]))
        connection.execute("rollback")


def _dumped(source: Source, wanted: Wanted, moment: _Moment) -> Path:
    partial = source.folder / f".{wanted.name}.partial"
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, store.MODE))
    programs = tools.of(source.strongest, moment.major, source.docker_socket)
    only = [f"--table={name}" for name in wanted.tables]
    options = [*FORMAT, f"--snapshot={moment.snapshot}", f"--lock-wait-timeout={LOCK_MS}", *only]
    programs.write(partial, programs.argv("pg_dump", *options), wanted.seconds)
    programs.read(partial, programs.argv("pg_restore", "--list", database=False))
    _sync(partial)
    return partial


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _kept(source: Source, wanted: Wanted, moment: _Moment, partial: Path, seconds: float) -> Backup:
    """Give the file its name, and write what is known of it."""
    folder, known = source.folder, moment.facts
    digest, bytes_ = store.sha256(partial), partial.stat().st_size
    final = store.dump(folder, names.check(wanted.name))
    partial.rename(final)
    sync_folder(folder)
    write_atomic(final.with_name(final.name + ".sha256"), f"{digest}  {final.name}\n", store.MODE)
    write_atomic(store.schema(folder, wanted.name), moment.taken.pack(), store.MODE)
    backup = Backup(
        name=wanted.name, kind=wanted.kind, created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        database=source.dsn.database, major=moment.major, size=known.size, bytes=bytes_, sha256=digest,
        seconds=round(seconds, 3), oid=known.oid, lsn=known.lsn, reset=known.reset, release=wanted.release,
        before=wanted.before, operation=source.operation, tables=sorted(wanted.tables), migrations=known.migrations,
        fingerprint=moment.taken.digest, rows=known.rows, writes=known.writes,
    )  # fmt: skip
    store.keep(folder, backup)
    return backup
