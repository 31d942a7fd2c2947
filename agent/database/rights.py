"""May this connection migrate? Asked before anything is touched; the answer names the GRANT that is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from psycopg import sql

from agent.database.connect import Connection
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

_READ_ONLY: Final = "select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean"
_CREATE: Final = "select has_database_privilege(current_database(), 'create')"
_SCHEMAS: Final = """
    select name, to_regnamespace(quote_ident(name)) is not null,
           coalesce(has_schema_privilege(to_regnamespace(quote_ident(name))::oid, 'create, usage'), false)
    from unnest(%s::text[]) as name
"""
_UNREADABLE: Final = """
    select distinct n.nspname, case c.relkind when 'S' then 'sequences' else 'tables' end
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(%s) and c.relkind in ('r', 'p', 'm', 'v', 'f', 'S')
      and case c.relkind when 'S' then not has_sequence_privilege(c.oid, 'select, usage')
          else not has_table_privilege(c.oid, 'select') end
    order by 1, 2
"""
_MAY_RESTORE: Final = "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
_SIZE: Final = """
    select case when has_database_privilege(current_database(), 'connect') then pg_database_size(current_database()) end
"""


def problems(connection: Connection, dsn: Dsn, schemas: Sequence[str]) -> list[IkomaError]:
    """Return every reason why migrations of ``schemas`` would fail for want of a right."""
    if _one(connection, _READ_ONLY):
        return [IkomaError("database.read_only", where=dsn.where)]
    return list(_missing(connection, dsn, schemas))


def lacking(connection: Connection, dsn: Dsn, schemas: Sequence[str]) -> dict[str, list[str]]:
    """Return, for migrating, dumping and restoring, the statements that would give the role what it lacks."""
    migrate = [str(item.params.get("grant", "")) for item in problems(connection, dsn, schemas)]
    return {
        "migrate": [grant for grant in migrate if grant],
        "dump": _unreadable(connection, dsn, schemas),
        "restore": [] if _one(connection, _MAY_RESTORE) else [_granted(connection, "alter role {} createdb", dsn.user)],
    }


def _unreadable(connection: Connection, dsn: Dsn, schemas: Sequence[str]) -> list[str]:
    """Name the tables and sequences that the role may not read; one statement a kind and schema."""
    found = connection.execute(_UNREADABLE, [list(schemas)]).fetchall()
    return [
        _granted(connection, f"grant select on all {kind} in schema {{}} to {{}}", schema, dsn.user)
        for schema, kind in found
    ]


def _granted(connection: Connection, text: str, *names: str) -> str:
    return sql.SQL(text).format(*map(sql.Identifier, names)).as_string(connection) + ";"


def size(connection: Connection) -> int:
    """Return the bytes that the database takes on the disk; 0 where the role may not know."""
    row = connection.execute(_SIZE).fetchone()
    return int(row[0] or 0) if row else 0


def _missing(connection: Connection, dsn: Dsn, schemas: Sequence[str]) -> Iterator[IkomaError]:
    may_create = _one(connection, _CREATE)
    absent = False
    for name, known, usable in connection.execute(_SCHEMAS, [[*schemas, "ikoma"]]).fetchall():
        absent = absent or not known
        if known and not usable:
            yield _lacking(connection, dsn, f"CREATE ON SCHEMA {name}", "grant create, usage on schema {} to {}", name)
    if absent and not may_create:
        text = "grant create on database {} to {}"
        yield _lacking(connection, dsn, f"CREATE ON DATABASE {dsn.database}", text, dsn.database)


def _lacking(connection: Connection, dsn: Dsn, right: str, text: str, thing: str) -> IkomaError:
    statement = sql.SQL(text).format(sql.Identifier(thing), sql.Identifier(dsn.user))
    grant = statement.as_string(connection) + ";"
    return IkomaError("database.rights", role=dsn.user, database=dsn.database, right=right, grant=grant)


def _one(connection: Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])
