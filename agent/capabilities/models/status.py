"""What serves and what runs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent.capabilities.models.base import OfTarget, Result, ServiceState


class Running(Result):
    """The operation that works on the target now."""

    id: str
    capability: str
    status: str
    since: str
    client: dict[str, str]
    step: str | None


class GetResult(OfTarget):
    """The release that serves, its services, and the operation that runs."""

    release: str | None
    previous: str | None
    status: str | None
    since: str | None
    built_here: bool = Field(default=False, description="Whether this host built its images itself.")
    services: dict[str, ServiceState]
    operation: Running | None
    warnings: list[Any]
