"""What ran."""

from __future__ import annotations

from pydantic import Field

from agent.capabilities.models.base import Args, Result


class ListArgs(Args):
    """How many."""

    limit: int = Field(default=20, ge=1, le=200)


class Operation(Result):
    """One operation, in short."""

    id: str
    capability: str
    status: str
    release: str | None
    message: str
    created: str
    started: str | None
    ended: str | None
    key: str
    client: dict[str, str]
    error: str | None


class ListResult(Result):
    """The latest first."""

    operations: list[Operation]


class CancelArgs(Args):
    """Which one."""

    operation: str


class CancelResult(Result):
    """How it ended."""

    operation: str
    status: str
    cancelled: bool = Field(description="Whether it was still to be ended.")
    message: str
