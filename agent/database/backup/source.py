"""The database that backups are about, where they lie, and who may do what to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from agent.database import target
from agent.database.connect import session
from agent.database.provision import Names
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model import dsn as dsns
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.names import Target

MAINTENANCE: Final = ("postgres", "template1")
"""Databases from which others can be renamed; they themselves never are."""

_WHOSE: Final = """
    select d.oid, pg_postmaster_start_time()::text, r.rolsuper or (r.rolcreatedb and pg_has_role(d.datdba, 'usage'))
    from pg_database d, pg_roles r where d.datname = %s and r.rolname = current_user
"""


class Place(Protocol):
    """What an operation's context and a call have in common."""

    @property
    def paths(self) -> Paths: ...

    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class Source:
    """One target's database.

    Attributes:
        folder: where its backups lie.
        admin: the host's administrator connection, if it leads to the same server.
        schemas: what the release's migrations own.
        docker_socket: where one asks whether the server lives in a container.
    """

    slug: str
    dsn: Dsn
    folder: Path
    state: Path
    operation: str = ""
    admin: Dsn | None = None
    schemas: Sequence[str] = ("public",)
    docker_socket: str = ""

    @property
    def app_role(self) -> str:
        return Names.of(self.slug).app

    @property
    def session_name(self) -> str:
        """What ``pg_stat_activity`` shows."""
        return f"ikoma:{self.operation or 'backup'}"

    @property
    def strongest(self) -> Dsn:
        """The connection that sees most of the database: a dump must hold all of it."""
        return replace(self.admin, database=self.dsn.database) if self.admin else self.dsn


def of(place: Place, asked: Target, operation: str = "", schemas: Sequence[str] = ("public",)) -> Source:
    """Return the source of a target. Raises ``IkomaError("database.no_dsn")``."""
    dsn = target.required(place.paths.target(asked), asked)
    return Source(
        asked.slug, dsn, place.paths.backups / asked.slug, place.paths.state, operation,
        administrator(place.settings, dsn), tuple(schemas), place.settings.docker_socket,
    )  # fmt: skip


def administrator(settings: Settings, dsn: Dsn) -> Dsn | None:
    """Return the administrator's connection if it leads to the server of ``dsn``, by whatever name."""
    if not settings.admin_dsn:
        return None
    admin = dsns.parse(settings.admin_dsn, "admin_dsn")
    mine, theirs = (_asked(one, dsn.database) for one in (dsn, admin))
    if mine is None:  # a swap that died has closed it: nobody gets in to ask
        return admin if (admin.host, admin.port) == (dsn.host, dsn.port) else None
    return admin if mine == theirs else None


def mover(source: Source) -> Dsn | None:
    """Return a connection, to another database, that may make, rename and drop; None where nobody here may."""
    if source.dsn.database in MAINTENANCE:
        return None
    for dsn in (source.admin, source.dsn):
        for database in MAINTENANCE:
            if dsn and (found := _able(replace(dsn, database=database), source.dsn.database)):
                return found
    return None


def _able(dsn: Dsn, database: str) -> Dsn | None:
    try:
        with session(dsn, "ikoma:backup") as connection:
            row = connection.execute(_WHOSE, [database]).fetchone()
    except IkomaError:
        return None
    return dsn if row and row[2] else None


def _asked(dsn: Dsn, database: str) -> tuple[object, ...] | None:
    """Return what tells a server and its database from others; None when it does not answer."""
    try:
        with session(dsn, "ikoma:backup") as connection:
            row = connection.execute(_WHOSE, [database]).fetchone()
    except IkomaError:
        return None
    return row[:2] if row else None
