"""When a target may be deployed to."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent.capabilities.models.base import Args, OfTarget


class GetResult(OfTarget):
    """Windows, freeze and approvals."""

    open: bool = Field(description="Whether windows and freeze let a deployment through now.")
    zone: str
    windows: list[str]
    next: str | None = Field(description="When the next window opens; null while one is open.")
    approval: bool = Field(description="Whether a second key has to agree.")
    freeze: dict[str, Any] | None
    approvals: dict[str, Any]


class FreezeArgs(Args):
    """Why, and until when."""

    reason: str
    until: str | None = Field(default=None, description="ISO 8601 with its zone.")


class FreezeResult(GetResult):
    """The policy as it is now."""


class ThawResult(GetResult):
    """The policy as it is now."""
