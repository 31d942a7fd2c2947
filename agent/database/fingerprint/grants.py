"""GRANT and REVOKE between two lists of privileges. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Facts = dict[str, Any]
Rights = dict[str, set[str]]

_PUBLIC: Final = {
    "function": "EXECUTE", "procedure": "EXECUTE", "aggregate": "EXECUTE", "type": "USAGE", "enum": "USAGE",
    "domain": "USAGE", "language": "USAGE", "database": "CONNECT,TEMPORARY",
}  # fmt: skip
_WORD: Final = {
    "enum": "type", "view": "table", "materialized view": "table", "foreign table": "table", "column": "table",
    "server": "foreign server", "aggregate": "function",
}  # fmt: skip


def statements(kind: str, place: str, column: str, before: Facts, after: Facts) -> list[str]:
    """Return the statements that lead from one list of privileges to the other."""
    return list(changes(before, after, f"{_WORD.get(kind, kind)} {place}", kind, column))


def changes(before: Facts, after: Facts, thing: str, kind: str, column: str = "") -> Iterator[str]:
    """Yield GRANT and REVOKE on ``thing``; ``column`` is added to each privilege."""
    old, new = _rights(before, kind), _rights(after, kind)
    for role in sorted(old.keys() | new.keys()):
        if role == after.get("owner") and "granted" not in (before if role in new else after):
            continue  # only one side writes out the privileges that an owner has anyway
        if gained := sorted(new.get(role, set()) - old.get(role, set())):
            yield f"grant {_words(gained, column)} on {thing} to {role}{_option(gained)};"
        if lost := sorted(old.get(role, set()) - new.get(role, set())):
            yield f"revoke {_words(lost, column)} on {thing} from {role};"


def _rights(facts: Facts, kind: str) -> Rights:
    if "granted" not in facts:
        return {"PUBLIC": set(_PUBLIC[kind].split(","))} if kind in _PUBLIC else {}
    split = (line.rpartition("=") for line in facts["granted"])
    return {role: set(rights.split(",")) for role, _, rights in split}


def _words(rights: list[str], column: str) -> str:
    return ", ".join(right.rstrip("*").lower() + column for right in rights)


def _option(rights: list[str]) -> str:
    return " with grant option" if any(right.endswith("*") for right in rights) else ""
