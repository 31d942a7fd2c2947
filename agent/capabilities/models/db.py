"""Databases."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from agent.capabilities.models.base import Args, OfTarget, Problem, Release, Result


class StatusMigrations(Result):
    """The ledger compared with the files of the release that serves."""

    applied: list[str]
    pending: list[str]
    edited: list[str] = []
    reformatted: list[str] = []
    missing: list[str] = []
    out_of_order: list[str] = []
    ahead: list[str] = []


class StatusResult(OfTarget):
    """The database as the agent finds it; a fault is one of its problems."""

    reachable: bool
    database: str | None = None
    version: str | None = None
    release: str | None = None
    migrations: StatusMigrations | None = None
    problems: list[Problem]


class MigrateArgs(Args):
    """Whose migrations."""

    release: Release | None = None


class DiffResult(OfTarget):
    """What somebody changed by hand."""

    database: str
    compared_with: Literal["deployment", "rebuild"]
    clean: bool
    differences: list[dict[str, Any]]


class VerifyRebuildResult(OfTarget):
    """Whether the database can be rebuilt from its migrations alone."""

    database: str
    release: str
    fingerprint: str
    verified: bool
    differences: list[dict[str, Any]]
    problem: dict[str, Any] | None = Field(default=None, description="The file that does not run in an empty database.")
    seconds: float | None = None
