"""A database beside live: filled from a backup, compared, and given live's name while live gets another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from agent.database.backup import names, store, tools, verify
from agent.database.backup import source as sources
from agent.database.backup.source import Source
from agent.database.backup.store import Backup
from agent.database.connect import Connection, session, translated
from agent.database.fingerprint import explain
from agent.database.fingerprint.model import Fingerprint, unpack
from agent.database.proof import likeness
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

_LEAVES_WITHIN: Final = 20.0
_GRANTS: Final = """
    select case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end, a.privilege_type, a.is_grantable
    from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    where d.datname = %s and a.grantee <> d.datdba order by 1, 2
"""
_ABOUT: Final = """
    select pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database') from pg_database
    where datname = %s
"""
_SETTINGS: Final = """
    select case when s.setrole = 0 then null else pg_get_userbyid(s.setrole) end, unnest(s.setconfig)
    from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where d.datname = %s
"""
_OTHERS: Final = """
    select pid from pg_stat_activity where datname = %s and pid <> %s
    and backend_type in ('client backend', 'background worker')
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One restore: of which database, from what, and whom to tell."""

    source: Source
    backup: Backup
    path: Path
    note: Callable[..., None]
    say: Callable[[str, dict[str, Any]], None]

    @property
    def live(self) -> str:
        return self.source.dsn.database

    @property
    def beside(self) -> str:
        return names.beside(self.live, "restore", self.source.operation)

    @property
    def old(self) -> str:
        """What live is called once it has been replaced."""
        return names.beside(self.live, "before", self.source.operation)


def fill(job: Job, moving: Dsn) -> None:
    """Make the database beside live, and fill and compare it. Live serves on meanwhile."""
    job.note(how="rename", live=job.live, beside=job.beside, old=job.old)
    with session(moving, job.source.session_name) as connection:
        _drop(connection, job.beside)
        _create(connection, job)
    job.say("restore.filling", {"name": job.backup.name, "database": job.beside})
    there = replace(moving, database=job.beside)
    programs = tools.of(there, job.backup.major, job.source.docker_socket)
    programs.read(job.path, programs.argv("pg_restore", "--exit-on-error", "--no-subscriptions"))
    wanted = unpack(store.schema(job.source.folder, job.backup.name).read_bytes())
    with session(there, job.source.session_name) as connection:
        connection.execute("analyze")
        verify.same(connection, job.backup, wanted, job.source)


def _create(connection: Connection, job: Job) -> None:
    """Make it with live's locale, owner, rights and settings: no dump holds these."""
    row: Any = connection.execute(_ABOUT, [job.live]).fetchone()
    owner, limit, comment = row
    with session(job.source.dsn, job.source.session_name) as inside:
        words = likeness.read(inside, Fingerprint({}, job.backup.major), "").words
    name = explain.quoted(job.beside)
    head = f"create database {name} owner {explain.quoted(owner)} template template0 connection limit {limit}"
    connection.execute(f"{head} {' '.join(words)}".encode())
    for statement in _belongings(connection, job.live, name, comment):
        connection.execute(statement.encode())


def _belongings(connection: Connection, live: str, name: str, comment: str | None) -> Iterator[str]:
    if comment:
        yield f"comment on database {name} is {explain.literal(comment)}"
    yield f"revoke all on database {name} from public"
    for grantee, right, grantable in connection.execute(_GRANTS, [live]).fetchall():
        option = " with grant option" if grantable else ""
        yield f"grant {right} on database {name} to {explain.quoted(grantee) if grantee else 'public'}{option}"
    for role, setting in connection.execute(_SETTINGS, [live]).fetchall():
        assigned = explain.assigned(*setting.split("=", 1))
        yield (
            f"alter role {explain.quoted(role)} in database {name} set {assigned}"
            if role
            else (f"alter database {name} set {assigned}")
        )


def swap(job: Job, moving: Dsn, agree: Callable[[Connection], None]) -> str:
    """Give the database beside the name of live; return what live is called now. Two names change at once, or none.

    Args:
        agree: asked in live once nobody else can write there; raises to refuse.
    """
    name = job.source.session_name
    with (
        session(moving, name) as connection,
        session(job.source.strongest, name) as inside,
        _closed(connection, job.live),
    ):
        _send_away(connection, job.live, inside.info.backend_pid)
        agree(inside)
        inside.close()
        _rename(connection, [(job.live, job.old), (job.beside, job.live)])
        _open(connection, job.old)
    job.say("restore.swapped", {"database": job.live, "old": job.old})
    return job.old


@contextmanager
def _closed(connection: Connection, database: str) -> Iterator[None]:
    """Let nobody in for as long as the block runs; when it fails, let them in again."""
    connection.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(database)))
    try:
        yield
    except BaseException:
        _open(connection, database)
        raise


def _open(connection: Connection, database: str) -> None:
    connection.execute(sql.SQL("alter database {} allow_connections true").format(sql.Identifier(database)))


def _send_away(connection: Connection, database: str, but: int = 0) -> None:
    """End the sessions of a database. Raises ``IkomaError("backup.busy")`` when one stays."""
    deadline = time.monotonic() + _LEAVES_WITHIN
    while True:
        left = [row[0] for row in connection.execute(_OTHERS, [database, but]).fetchall()]
        if not left:
            return
        if time.monotonic() > deadline:
            raise IkomaError("backup.busy", database=database, count=len(left))
        for pid in left:
            connection.execute("select pg_terminate_backend(%s)", [pid])
        time.sleep(0.05)


def _rename(connection: Connection, pairs: list[tuple[str, str]]) -> None:
    """Rename databases, all at once; wait a moment for a session that is just ending."""
    statement = sql.SQL("alter database {} rename to {}")
    deadline = time.monotonic() + _LEAVES_WITHIN
    while True:
        try:
            with connection.transaction():
                for before, after in pairs:
                    connection.execute(statement.format(sql.Identifier(before), sql.Identifier(after)))
            return
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise IkomaError("backup.busy", database=pairs[0][0], count=1) from None
            time.sleep(0.1)


def _drop(connection: Connection, database: str) -> None:
    connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def take_back(source: Source, live: str, beside: str, old: str) -> str:
    """Give live its name again, whatever of the swap was done; return it if it had lost it."""
    moving = sources.mover(source)
    if moving is None:
        raise IkomaError("backup.no_mover", database=live)
    with session(moving, source.session_name) as connection, translated(source.dsn):
        there = _present(connection, {live, beside, old})
        if old in there and live in there:
            _drop(connection, beside)
            with _closed(connection, live):
                _send_away(connection, live)
                _rename(connection, [(live, beside), (old, live)])
        _drop(connection, beside)
        _open(connection, live)
    return live if old in there else ""


def _present(connection: Connection, wanted: set[str]) -> set[str]:
    rows = connection.execute("select datname from pg_database where datname = any(%s)", [list(wanted)]).fetchall()
    return {row[0] for row in rows}
