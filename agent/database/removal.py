"""Taking a target's database away: only one that belongs to the role that was made for it."""

from __future__ import annotations

from psycopg import sql

from agent.database.connect import session
from agent.database.provision import Names
from agent.model import dsn as dsns
from agent.model.errors import IkomaError
from agent.model.secret import Secret


def drop(admin: Secret, slug: str, operation: str) -> None:
    """Drop the database of ``slug``, what restores kept of it, and its roles; what is gone already is fine.

    Raises:
        IkomaError: ``remove.no_admin`` without an administrator's connection, ``database.foreign`` when the database
            is somebody else's, and the faults of a connection.
    """
    if not admin:
        raise IkomaError("remove.no_admin")
    names = Names.of(slug)
    with session(dsns.parse(admin, "admin_dsn"), f"ikoma:{operation}") as connection:
        query = "select pg_get_userbyid(datdba) from pg_database where datname = %s"
        row = connection.execute(query, [names.database]).fetchone()
        if row and row[0] != names.migrator:
            raise IkomaError("database.foreign", database=names.database, owner=row[0])
        query = "select datname from pg_database where pg_get_userbyid(datdba) = %s"
        for (database,) in connection.execute(query, [names.migrator]).fetchall():
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))
        for role in (names.app, names.migrator):
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
