"""Releases."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent.capabilities.models.base import Args, Migrations, OfTarget, Problem, Release, Result, Service


class ApplyArgs(Args):
    """A release; its bundle travels beside the request, unless the host has the release already."""

    release: Release
    only: list[Service] | None = Field(default=None, description="Services to deploy; the others stay as they are.")
    accept: list[str] | None = Field(default=None, description="What is knowingly accepted, such as `replace:db`.")
    override: str | None = Field(default=None, description="Why a window or a freeze does not hold this time.")


class PlanArgs(Args):
    """A release that is not on the host yet."""

    manifest: dict[str, Any] = Field(description="The content of `release.json`.")
    sql: dict[str, str] | None = Field(default=None, description="Texts of migration files by name, to be judged.")
    accept: list[str] | None = None


class PlanMigrations(Migrations):
    """What the database would get, and why it would not."""

    problems: list[str] = []
    findings: list[dict[str, Any]] = Field(default=[], description="What the guard-rails say of the texts sent along.")
    breaking: list[str] = Field(default=[], description="Files that the running release may not live with.")
    closed: list[str] = Field(default=[], description="Those for which maintenance mode would close the app.")


class PlanResult(OfTarget):
    """What a deployment would do."""

    release: str
    current: str | None
    services: list[dict[str, Any]]
    lines: list[str] = Field(description="The same for people.")
    pull: list[str] = Field(description="Images that are missing here.")
    routes: dict[str, str]
    migrations: PlanMigrations
    problems: list[Problem]


class ManifestArgs(Args):
    """Which release; without, the one that serves."""

    release: Release | None = None


class ManifestResult(Result):
    """Both are null before the first deployment."""

    release: str | None
    manifest: dict[str, Any] | None


class RollbackArgs(Args):
    """Where to; without, the release before."""

    to: Release | None = None
    restore_database: bool | str | None = Field(
        default=None, description="Put the database back too: to the restore point from then, or to a named backup."
    )
    discard: str | int | None = Field(
        default=None, description="How many rows written since then one accepts to lose, or `all`."
    )


class UpArgs(Args):
    """What to start: without a ref what is there, else what CI published for that commit."""

    ref: str | None = Field(default=None, description="A branch, tag or commit of the app's repository.")


class RestartArgs(Args):
    """Which service; without, all."""

    service: Service | None = None


class ApproveArgs(Args):
    """The release, as a plan or a refusal names it."""

    release: Release


class ApproveResult(Result):
    """Who agreed, and when."""

    release: str
