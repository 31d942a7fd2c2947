"""Making a target's own database: an owner that migrates, and a role for the app that can only work with rows."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from typing import Final

from psycopg import sql

from agent.database.connect import Connection, session
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.secret import Secret

_LONGEST: Final = 63  # bytes of an identifier; PostgreSQL would cut silently, and two names could become one
_SUFFIXES: Final = ("_migrator", "_app")


@dataclass(frozen=True, slots=True)
class Names:
    """What the database of one target and its roles are called."""

    database: str
    migrator: str
    app: str

    @classmethod
    def of(cls, slug: str) -> Names:
        """Return the names for a target's slug."""
        return cls(slug, *(_fitting(slug, suffix) for suffix in _SUFFIXES))


def _fitting(slug: str, suffix: str) -> str:
    if len(slug) + len(suffix) <= _LONGEST:
        return slug + suffix
    digest = hashlib.sha256(slug.encode()).hexdigest()[:8]
    return f"{slug[: _LONGEST - len(suffix) - 9]}_{digest}{suffix}"


@dataclass(frozen=True, slots=True)
class Made:
    """The connections of a target."""

    migrator: Dsn
    app: Dsn


def new_password() -> Secret:
    """Return 192 random bits in letters that mean nothing to URLs, shells and dotenv files."""
    return Secret(secrets.token_urlsafe(24))


def provision(admin: Dsn, names: Names, schemas: list[str], operation: str, *, keep_app: bool = False) -> Made:
    """Create what is missing of database and roles, and set new passwords. May be repeated after a crash.

    Args:
        admin: an administrator's connection to the cluster.
        schemas: the contract's schemas; those that exist are opened to the app's role.
        keep_app: leave the password of an existing app role alone.

    Raises:
        IkomaError: ``database.foreign`` when a database of that name belongs to somebody else; the faults of a
            connection.
    """
    migrator = replace(admin, user=names.migrator, database=names.database, password=new_password())
    app = replace(admin, user=names.app, database=names.database, password=new_password())
    with session(admin, f"ikoma:{operation}") as connection:
        _refuse_foreign(connection, names)
        _role(connection, migrator, keep=False)
        _role(connection, app, keep=keep_app)
        _database(connection, names)
    with session(replace(admin, database=names.database), f"ikoma:{operation}") as connection:
        _open_to_app(connection, names, schemas)
    return Made(migrator, app)


def _refuse_foreign(connection: Connection, names: Names) -> None:
    query = "select pg_get_userbyid(datdba) from pg_database where datname = %s"
    row = connection.execute(query, [names.database]).fetchone()
    if row and row[0] != names.migrator:
        raise IkomaError("database.foreign", database=names.database, owner=row[0])


def _role(connection: Connection, dsn: Dsn, *, keep: bool) -> None:
    role = sql.Identifier(dsn.user)
    known = connection.execute("select 1 from pg_roles where rolname = %s", [dsn.user]).fetchone()
    if known is None:
        connection.execute(sql.SQL("create role {} nosuperuser nocreatedb nocreaterole login").format(role))
    if known is None or not keep:
        # The verifier is computed here, so that no log of the server ever holds the password.
        verifier = connection.pgconn.encrypt_password(
            dsn.password.reveal().encode(), dsn.user.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(verifier)))


def _database(connection: Connection, names: Names) -> None:
    database, migrator = sql.Identifier(names.database), sql.Identifier(names.migrator)
    if connection.execute("select 1 from pg_database where datname = %s", [names.database]).fetchone() is None:
        # An administrator who is no superuser can only give away what a role he belongs to owns.
        if not _superuser(connection):
            connection.execute(sql.SQL("grant {} to current_user").format(migrator))
        connection.execute(sql.SQL("create database {} owner {} template template0").format(database, migrator))
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))
    connection.execute(sql.SQL("grant connect on database {} to {}").format(database, sql.Identifier(names.app)))


def _superuser(connection: Connection) -> bool:
    row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    return bool(row and row[0])


def _open_to_app(connection: Connection, names: Names, schemas: list[str]) -> None:
    """Let the app work with the rows of whatever the migrator makes; the ledger's schema stays closed to it."""
    migrator, app = sql.Identifier(names.migrator), sql.Identifier(names.app)
    with connection.transaction():
        connection.execute("revoke create on schema public from public")
        connection.execute(sql.SQL("grant create, usage on schema public to {}").format(migrator))
        for rights, kind in (("select, insert, update, delete", "tables"), ("usage, select, update", "sequences")):
            default = sql.SQL("alter default privileges for role {} grant {} on {} to {}")
            connection.execute(default.format(migrator, sql.SQL(rights), sql.SQL(kind), app))
        query = "select nspname from pg_namespace where nspname = any(%s)"
        for (name,) in connection.execute(query, [schemas]).fetchall():
            connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(name), app))
