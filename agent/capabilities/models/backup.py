"""Backup sets, off the host."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent.capabilities.models.base import Args, OfTarget


class FetchArgs(Args):
    """Which set."""

    snapshot: str | None = Field(default=None, pattern=r"^[0-9a-f]{8}$", description="Default: the newest.")


class ListResult(OfTarget):
    """What is off this host."""

    sets: list[dict[str, Any]] = Field(description="Snapshot and time of each, the newest first.")
    pushed: str | None = Field(default=None, description="When this host last sent one.")
    tried: str | None = Field(default=None, description="When this host last tried to.")
