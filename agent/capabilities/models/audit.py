"""The history of calls."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from agent.capabilities.models.base import Args, Result


class QueryArgs(Args):
    """Which lines; without, the latest."""

    result: Literal["ok", "error", "refused"] | None = None
    capability: str | None = None
    key: str | None = None
    operation: str | None = None
    before: int | None = Field(default=None, ge=1, le=10**12, description="The number of a line: only earlier ones.")
    limit: int = Field(default=100, ge=1, le=1000)


class QueryResult(Result):
    """The lines, newest first; ``before`` asks for the next page."""

    entries: list[dict[str, Any]]
    before: int | None


class VerifyArgs(Args):
    """A head that was seen earlier, as ``<seq>:<hash>``."""

    anchor: str = Field(default="", max_length=80)


class VerifyResult(Result):
    """Whether the history is whole; otherwise what became of it, and where."""

    ok: bool
    count: int
    head: str
    message: str
