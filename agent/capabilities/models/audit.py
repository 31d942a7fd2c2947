"""The history of calls."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from agent.capabilities.models.base import Args, Result

Outcome = Literal["ok", "error", "refused"]


class QueryArgs(Args):
    """What is looked for; the app and its environment are those of the request."""

    result: Outcome | None = None
    capability: str | None = None
    key: str | None = None
    operation: str | None = None
    before: int | None = Field(default=None, ge=1, description="Only lines below this number, to page.")
    limit: int = Field(default=100, ge=1, le=1000)


class Entry(Result):
    """One line: one call, or with ``status`` the end of an operation."""

    ts: str
    seq: int
    key: str
    role: str
    door: str
    capability: str
    appName: str | None  # noqa: N815
    environment: str | None
    operation: str | None
    result: Outcome
    error_id: str | None
    client: dict[str, Any]
    prev: str
    hash: str


class QueryResult(Result):
    """The newest first."""

    entries: list[Entry]
    before: int | None = Field(description="Where the next page begins; null on the last.")


class VerifyArgs(Args):
    """A head seen earlier, ``<number>:<hash>``: the history must still hold it."""

    anchor: str = Field(default="", pattern=r"^([0-9]+:[0-9a-f]{64})?$")


class VerifyResult(Result):
    """Whether the chain is whole, and otherwise what became of it and where."""

    ok: bool
    count: int
    first: int
    head: str
    kind: Literal["", "changed", "removed", "inserted", "truncated", "unreadable"]
    seq: int | None
    until: int | None
    file: str
    line: int | None
    message: str
