"""The time as it is written down."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return the time in UTC with milliseconds: ``2026-01-31T12:00:00.000Z``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def since(stamp: str) -> float:
    """Return the seconds that have passed since ``stamp``, never less than 0."""
    begun = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    return max(0.0, (datetime.now(UTC) - begun).total_seconds())
