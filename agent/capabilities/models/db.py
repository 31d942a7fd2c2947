"""Databases."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from agent.capabilities.models.base import Args, Flag, OfTarget, Problem, Release, Result


class StatusMigrations(Result):
    """The ledger compared with the files of the release that serves."""

    applied: list[str]
    pending: list[str]
    edited: list[str] = []
    reformatted: list[str] = []
    missing: list[str] = []
    out_of_order: list[str] = []
    ahead: list[str] = []


class StatusRight(Result):
    """Whether the role has what a use needs, and the statements that give it what it lacks."""

    ok: bool
    grants: list[str] = []


class StatusResult(OfTarget):
    """The database as the agent finds it; a fault is one of its problems."""

    reachable: bool
    bytes: int | None = None
    rights: dict[Literal["migrate", "dump", "restore"], StatusRight] | None = None
    database: str | None = None
    version: str | None = None
    release: str | None = None
    migrations: StatusMigrations | None = None
    problems: list[Problem]


Files = dict[str, str]


class MigrateArgs(Args):
    """Whose migrations, and one more as text."""

    release: Release | None = None
    accept: list[str] | None = Field(default=None, description="Files that may break the running release, by name.")
    name: str | None = Field(default=None, description="What the text is called: `0014_name`, or a name alone.")
    sql: str | None = Field(default=None, description="The text of one migration.")
    files: Files | None = Field(default=None, description="All migrations, by file name.")
    from_environment: Flag | None = Field(default=None, description="The caller's connection; on the host alone.")


class MigrationArgs(Args):
    """Which text; without it the names of all."""

    name: str | None = Field(default=None, examples=["0014_by_hand"])


class MigrationResult(OfTarget):
    """A migration that is in no release yet."""

    file: str | None = None
    sql: str | None = None
    files: list[str] | None = None


class AdoptArgs(Args):
    """The migrations that the other tool has applied."""

    release: Release | None = None
    files: Files | None = None


class BaselineArgs(Args):
    """The last file that the database has; a dry run unless `apply` is true."""

    through: str
    release: Release | None = None
    files: Files | None = None
    accept: list[str] | None = Field(default=None, description="Differences that may stay, by their title.")
    repair: Flag | None = Field(default=None, description="Also return the migration that makes up for them.")
    apply: Flag | None = None


class SeedArgs(Args):
    """Rows to work with, by file name."""

    seeds: Files | None = None
    production: Flag | None = None


class ConsoleResult(Result):
    """Never returned: the call is refused."""


class DiffResult(OfTarget):
    """What somebody changed by hand."""

    database: str
    compared_with: Literal["deployment", "rebuild"]
    clean: bool
    differences: list[dict[str, Any]]


class VerifyRebuildArgs(Args):
    """What is built and compared."""

    stored: bool | None = Field(
        default=None, description="Build from what was kept with the release; the live database is not asked."
    )


class VerifyRebuildResult(OfTarget):
    """Whether the database can be rebuilt from its migrations alone."""

    database: str
    release: str
    fingerprint: str
    verified: bool
    differences: list[dict[str, Any]]
    problem: dict[str, Any] | None = Field(default=None, description="The file that does not run in an empty database.")
    witness: dict[str, Any] | None = Field(
        default=None, description="What pg_dump says of it: agrees, or null with the reason why it was not asked."
    )
    seconds: float | None = None


BackupName = Annotated[str, Field(min_length=1, max_length=120, examples=["myapp-20260101.sql"])]


class BackupArgs(Args):
    """What it is called; without, a name made of the time."""

    backupName: BackupName | None = None  # noqa: N815 (the wire's name)


class VerifyBackupArgs(Args):
    """Which one; without, the latest."""

    backupName: BackupName | None = None  # noqa: N815 (the wire's name)


class RestoreArgs(Args):
    """Which one, and how many rows that came since may be lost."""

    backupName: BackupName  # noqa: N815 (the wire's name)
    discard: int | str | None = None


class ListBackupsResult(OfTarget):
    """What there is to go back to, and what restores have replaced and left."""

    folder: str
    backups: list[dict[str, Any]]
    kept: list[dict[str, Any]]
