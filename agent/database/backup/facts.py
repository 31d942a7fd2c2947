"""What one remembers of a database beside its dump: rows, and how much was ever written. Read in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import sql

from agent.database import ledger
from agent.database.connect import Connection

BEGIN: Final = "begin isolation level repeatable read read only; set local lock_timeout = '10s'"

_ABOUT: Final = """
    select d.oid::bigint, pg_database_size(d.oid),
           case when pg_is_in_recovery() then '' else pg_current_wal_lsn()::text end,
           coalesce(pg_stat_get_db_stat_reset_time(d.oid)::text, '')
    from pg_database d where d.datname = current_database()
"""
_TABLES: Final = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname !~ '^(pg_|ikoma_before_)' and n.nspname not in ('information_schema', 'ikoma')
    and (n.nspname = any(%(only)s::text[]) or %(only)s::text[] is null)
    and has_table_privilege(c.oid, 'select') and not row_security_active(c.oid) order by 1, 2
"""
_WRITES: Final = """
    select schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables
    where schemaname <> 'ikoma' and schemaname !~ '^ikoma_before_'
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """A database at one moment.

    Attributes:
        oid: another one is another database, whose counters begin anew.
        size: bytes on its server's disk.
        lsn: where the server's log of changes was.
        reset: when the counters were last set to zero.
        rows: how many rows each table has.
        writes: how many rows were ever written, changed or deleted in each table.
        migrations: what was applied.
    """

    oid: int
    size: int
    lsn: str
    reset: str
    rows: dict[str, int] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    migrations: list[str] = field(default_factory=list)


def read(connection: Connection) -> Facts:
    """Read all that is remembered."""
    row: Any = connection.execute(_ABOUT).fetchone()
    writes = {str(name): int(count) for name, count in connection.execute(_WRITES).fetchall()}
    applied = [item.name for item in ledger.read(connection)]
    return Facts(int(row[0]), int(row[1]), str(row[2]), str(row[3]), rows(connection), writes, applied)


def rows(connection: Connection, schemas: list[str] | None = None) -> dict[str, int]:
    """Count the rows of every table that the session sees whole (a policy would hide some)."""
    found = {}
    for schema, name in connection.execute(_TABLES, {"only": schemas}).fetchall():
        query = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))
        row: Any = connection.execute(query).fetchone()
        found[f"{schema}.{name}"] = int(row[0])
    return found


def size(connection: Connection) -> int:
    """Return the bytes of the database."""
    row: Any = connection.execute("select pg_database_size(current_database())").fetchone()
    return int(row[0])
