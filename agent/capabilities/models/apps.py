"""Apps and what they run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from agent.capabilities.models.base import Args, OfTarget, OperationResult, Problem, Result, Service, ServiceState


class StatusResult(OfTarget):
    """What runs."""

    release: str | None
    previous: str | None
    status: str | None
    since: str | None
    built_here: bool = Field(default=False, description="Whether this host built its images itself.")
    dockerRunning: bool = Field(description="Whether every service of the app runs.")  # noqa: N815 (the wire's name)
    services: dict[str, ServiceState]


class HealthResult(OfTarget):
    """One word for the app, and one for each service."""

    health: Literal["healthy", "starting", "unhealthy", "stopped"]
    services: dict[str, str]


class ListedApp(OfTarget):
    """One app."""

    release: str | None
    status: str | None
    since: str | None
    services: int
    routes: list[str]


class ListResult(Result):
    """Every app that the key may act on."""

    apps: list[ListedApp]
    warnings: list[Problem] = []


class RemoveArgs(Args):
    """What goes; a last backup is made before."""

    confirm: str = Field(description="The name of the target, typed again: `shop`, or `shop_staging`.")
    volumes: bool = Field(default=False, description="Its volumes go too.")
    database: bool = Field(default=False, description="Its database and roles go too.")


class LogsArgs(Args):
    """Which lines."""

    service: Service | None = None
    tail: int = Field(default=100, ge=1, le=2000, description="How many lines at most.")
    cursor: str | None = Field(default=None, description="Only what came after an answer that had this `cursor`.")
    wait: int = Field(default=0, ge=0, le=25, description="Seconds to wait for a line where there is none yet.")


class LogLine(Result):
    """One line of one service; known secrets are masked."""

    service: str
    time: str
    line: str


class LogsResult(OfTarget):
    """The lines, in the order of time."""

    lines: list[LogLine]
    cursor: str = Field(description="Ask with it again to get what comes next.")


class ReleasesResult(OfTarget):
    """What can be gone back to, the latest first."""

    current: str | None
    releases: list[Result]


class InitResult(OperationResult):
    """What was made, and what was there."""

    folder: str = ""
    created: list[str] = []
    kept: list[str] = []


class EnvExampleResult(RootModel[str]):
    """The text of an environment file without values."""


class ValidateResult(OfTarget):
    """Whether the app could be started as it lies there."""

    valid: bool
    source: str | None = Field(description="The release that was looked at, `docker-compose.yml`, or null.")
    checks: dict[str, bool] = Field(description="contract, compose, environment, ports.")
    problems: list[Problem]
