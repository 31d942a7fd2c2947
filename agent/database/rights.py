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


def problems(connection: Connection, dsn: Dsn, schemas: Sequence[str]) -> list[IkomaError]:
    """Return every reason why migrations of ``schemas`` would fail for want of a right."""
    if _one(connection, _READ_ONLY):
        return [IkomaError("database.read_only", where=dsn.where)]
    return list(_missing(connection, dsn, schemas))


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
