"""Which migrations a database has: the table ``ikoma.migrations``, in the database itself."""

from __future__ import annotations

from dataclasses import dataclass
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
        operation text not null default ''
    );
    comment on schema ikoma is 'What IKOMA Bridge knows about this database. Not for the application.';
"""
_INSERT: Final = "insert into ikoma.migrations (version, name, sha256, duration_ms, release, operation) values ({})"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to write."""

    version: str
    name: str
    sha256: str
    duration_ms: int
    release: str
    operation: str


def exists(connection: Connection) -> bool:
    """Whether the database has a ledger."""
    row = connection.execute("select to_regclass('ikoma.migrations') is not null").fetchone()
    return bool(row and row[0])


def ensure(connection: Connection) -> None:
    """Create the ledger if there is none. The caller holds the migration lock: creating is not safe in parallel."""
    if not exists(connection):
        with connection.transaction():
            connection.execute(_CREATE)


def read(connection: Connection) -> list[Applied]:
    """Return what was applied; nothing when there is no ledger."""
    if not exists(connection):
        return []
    rows = connection.execute("select version, name, sha256 from ikoma.migrations").fetchall()
    return [Applied(*row) for row in rows]


def of_operation(connection: Connection, operation: str) -> list[str]:
    """Return the names that one operation applied, in their order."""
    if not exists(connection):
        return []
    query = "select name from ikoma.migrations where operation = %s order by version::numeric"
    return [row[0] for row in connection.execute(query, [operation]).fetchall()]


def record(entry: Entry) -> bytes:
    """Return the statement that writes one row, for the transaction of the file it stands for."""
    values = (entry.version, entry.name, entry.sha256, entry.duration_ms, entry.release, entry.operation)
    row = sql.SQL(", ").join(map(sql.Literal, values))
    return sql.SQL(_INSERT).format(row).as_bytes(None)
