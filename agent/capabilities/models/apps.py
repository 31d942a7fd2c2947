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
    dockerRunning: bool = Field(description="Whether every service of the app runs.")  # noqa: N815 (the wire's name)
    services: dict[str, ServiceState]


class HealthResult(OfTarget):
    """One word for the app, and one for each service."""

    health: Literal["healthy", "starting", "unhealthy", "stopped"]
    services: dict[str, str]


class LogsArgs(Args):
    """Which lines."""

    service: Service | None = None
    tail: int = Field(default=100, ge=1, le=2000, description="How many lines at most.")


class LogLine(Result):
    """One line of one service; known secrets are masked."""

    service: str
    time: str
    line: str


class LogsResult(OfTarget):
    """The lines, in the order of time."""

    lines: list[LogLine]


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
