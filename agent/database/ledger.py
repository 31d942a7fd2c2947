"""Which migrations a database has: the table ``ikoma.migrations``, in the database itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from psycopg import sql

from agent.database.connect import Connection
from agent.model.migrations import Applied

_CREATE: Final = """
    create schema if not exists ikoma;
    create table if not exists ikoma.migrations (
        version text primary key,
        name text not null,
        sha256 text not null,
        applied_by text not null default session_user,
        applied_at timestamptz not null default clock_timestamp(),
        duration_ms bigint not null,
        release text not null default '',
        operation text not null default '',
        tokens text not null default ''
    );
    create table if not exists ikoma.progress (
        version text primary key,
        done int not null,
        prefix text not null,
        running int,
        facts bigint[] not null default '{}',
        noted_at timestamptz not null default clock_timestamp()
    );
    comment on schema ikoma is 'What IKOMA Bridge knows about this database. Not for the application.';
"""
_GROW: Final = "alter table ikoma.migrations add column if not exists tokens text not null default ''"
_INSERT: Final = """
    insert into ikoma.migrations (version, name, sha256, duration_ms, release, operation, tokens) values ({})
"""
_SPENT: Final = sql.SQL("(extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::bigint")
_NOTE: Final = """
    insert into ikoma.progress (version, done, prefix, running, facts) values ({}) on conflict (version) do update
    set done = excluded.done, prefix = excluded.prefix, running = excluded.running, facts = excluded.facts,
        noted_at = excluded.noted_at
"""
_READ: Final = "select version, name, sha256, coalesce(to_jsonb(m) ->> 'tokens', '') from ikoma.migrations m"
_PROGRESS: Final = "select version, done, prefix, running, facts from ikoma.progress where version = %s"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to write; ``duration_ms`` None is the time since the transaction that writes it began."""

    version: str
    name: str
    sha256: str
    duration_ms: int | None
    release: str
    operation: str
    tokens: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file has come that cannot be one transaction.

    Attributes:
        done: how many of its statements stand.
        prefix: a hash over these.
        running: the number of the one that had begun, alone, when this was written.
        facts: what was known before it began.
    """

    version: str
    done: int
    prefix: str
    running: int | None = None
    facts: list[int] = field(default_factory=list)


def exists(connection: Connection) -> bool:
    """Whether the database has a ledger."""
    row = connection.execute("select to_regclass('ikoma.migrations') is not null").fetchone()
    return bool(row and row[0])


def ensure(connection: Connection) -> None:
    """Create what is missing of the ledger. The caller holds the migration lock: creating is not safe in parallel."""
    row = connection.execute("select to_regclass('ikoma.progress') is not null").fetchone()
    if not (row and row[0]):
        with connection.transaction():
            connection.execute(_CREATE)
            connection.execute(_GROW)


def read(connection: Connection) -> list[Applied]:
    """Return what was applied; nothing when there is no ledger."""
    if not exists(connection):
        return []
    rows = connection.execute(_READ).fetchall()
    return [Applied(*row) for row in rows]


def of_operation(connection: Connection, operation: str) -> list[str]:
    """Return the names that one operation applied, in their order."""
    if not exists(connection):
        return []
    query = "select name from ikoma.migrations where operation = %s order by version::numeric"
    return [row[0] for row in connection.execute(query, [operation]).fetchall()]


def record(entry: Entry) -> bytes:
    """Return the statement that writes one row, for the transaction of the file it stands for."""
    spent = _SPENT if entry.duration_ms is None else sql.Literal(entry.duration_ms)
    before, after = (entry.version, entry.name, entry.sha256), (entry.release, entry.operation, entry.tokens)
    row = sql.SQL(", ").join([*map(sql.Literal, before), spent, *map(sql.Literal, after)])
    return sql.SQL(_INSERT).format(row).as_bytes(None)


def progress(connection: Connection, version: str) -> Progress | None:
    """Return how far a file has come, None for one that never began or is one transaction."""
    row = connection.execute(_PROGRESS, [version]).fetchone()
    return Progress(*row) if row else None


def note(state: Progress) -> bytes:
    """Return the statement that writes how far a file has come."""
    values = (state.version, state.done, state.prefix, state.running, state.facts)
    return sql.SQL(_NOTE).format(sql.SQL(", ").join(map(sql.Literal, values))).as_bytes(None)


def forget(version: str) -> bytes:
    """Return the statement that drops the progress of a file that is done."""
    return sql.SQL("delete from ikoma.progress where version = {}").format(sql.Literal(version)).as_bytes(None)
