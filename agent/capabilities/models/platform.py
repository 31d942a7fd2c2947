"""The host itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from agent.capabilities.models.base import Problem, Result


class One(Result):
    """One capability."""

    name: str
    role: Literal["observer", "operator", "builder"]
    changes: bool
    needs_target: bool
    summary: str


class CapabilitiesResult(Result):
    """Everything this agent can do."""

    capabilities: list[One]


class CheckProblem(Problem):
    """A problem and the check that found it."""

    check: str


class CheckResult(Result):
    """Whether the host is fit to be deployed to."""

    healthy: bool
    checks: dict[str, bool] = Field(description="docker, compose, postgres, appsRoot, ports, clock.")
    facts: dict[str, dict[str, Any]] = Field(description="What each check saw.")
    problems: list[CheckProblem]
    warnings: list[Problem] = Field(default=[], description="What should be seen to, and stops no deployment.")
