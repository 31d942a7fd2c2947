"""What a host remembers of the backup sets it sent off. Standard library only: it is asked every few seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.host.files import read_json, write_json
from agent.host.paths import Paths


def noted(paths: Paths, slug: str) -> dict[str, Any]:
    """Return ``pushed`` and ``tried`` (times), nothing before the first attempt."""
    found: dict[str, Any] = read_json(_file(paths, slug), default={})
    return found


def note(paths: Paths, slug: str, **facts: Any) -> None:
    """Remember an attempt, or a success."""
    _file(paths, slug).parent.mkdir(mode=0o750, exist_ok=True)
    write_json(_file(paths, slug), noted(paths, slug) | facts)


def _file(paths: Paths, slug: str) -> Path:
    return paths.state / "sets" / f"{slug}.json"


def age_hours(moment: str, at: datetime | None = None) -> float:
    """Return how long ago a noted time is, in hours."""
    then = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return ((at or datetime.now(UTC)) - then).total_seconds() / 3600


def now() -> str:
    """Return the time as notes hold it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
