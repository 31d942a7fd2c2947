"""What a host answers, brought into the documented shape: whatever it says, its end can be reported. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def text(value: object) -> str:
    """Return a string as it is, and nothing for anything else."""
    return value if isinstance(value, str) else ""


def maybe(value: object) -> str | None:
    """Return a string that says something, else None."""
    return value if isinstance(value, str) and value else None


def number(value: object) -> float:
    """Return a finite number as it is, and zero for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if abs(value) < 1e12 and math.isfinite(value) else 0.0


def texts(value: object) -> list[str]:
    """Return the strings of a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def mapping(value: object) -> dict[str, Any]:
    """Return a mapping by text, and an empty one for anything else."""
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """Return the mappings of a list."""
    return [mapping(item) for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def steps(value: object) -> list[Any]:
    """Return steps with what each report reads of them; what else they say stays."""
    return [_step(item) for item in mappings(value)]


def _step(item: Mapping[str, Any]) -> dict[str, Any]:
    words = {key: text(item.get(key)) for key in ("name", "status", "detail")}
    return {**item, **words, "seconds": number(item.get("seconds"))}


def services(value: object) -> dict[str, Any]:
    """Return services by name, each a mapping whose words are strings."""
    return {name: _service(item) for name, item in mapping(value).items() if isinstance(item, Mapping)}


def _service(item: Mapping[str, Any]) -> dict[str, Any]:
    words = {key: text(item[key]) for key in ("action", "state") if key in item}
    numbers = {key: number(item[key]) for key in ("gap",) if key in item}
    return {**mapping(item), **words, **numbers}


def migrations(value: object) -> Any:
    """Return names of migration files, in two lists."""
    told = mapping(value)
    return {**told, "applied": texts(told.get("applied")), "pending": texts(told.get("pending"))}


def error(value: object) -> Any:
    """Return why it failed, or None."""
    if not isinstance(value, Mapping):
        return None
    said = mapping(value)
    words = {key: text(said.get(key)) for key in ("id", "message", "remedy")}
    return {**said, **words, "step": maybe(said.get("step"))}


def plan(value: object) -> dict[str, Any]:
    """Return what a host says of a release that it was only shown."""
    told = mapping(value)
    lists = {"services": mappings(told.get("services")), "problems": mappings(told.get("problems"))}
    return {**told, **lists, "lines": texts(told.get("lines"))}
