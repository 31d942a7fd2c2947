"""Whether what runs is what was released."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent.capabilities.models.base import OfTarget


class VerifyReleaseResult(OfTarget):
    """``verified`` only when what runs is exactly what was released."""

    release: str
    verified: bool
    differences: list[Any]
    proof: dict[str, Any] | None = Field(
        default=None, description="Whether the database was proven when this was deployed, and its fingerprint."
    )
