"""What two fingerprints differ in, object by object. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from agent.database.fingerprint import explain
from agent.database.fingerprint.model import Fingerprint, Key

Facts = dict[str, Any]

_RANK: Final = {
    kind: rank
    for rank, kind in enumerate((
        "extension", "schema", "enum", "domain", "type", "sequence", "table", "foreign table", "column", "constraint",
        "index", "view", "materialized view", "function", "procedure", "aggregate", "trigger", "policy",
    ))
}  # fmt: skip
_PARTS: Final = {"column", "constraint", "trigger", "policy", "rule"}
_TABLES: Final = ("table", "foreign table", "view", "materialized view")


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not the same in both; None where it does not exist.

    Attributes:
        sql: what somebody would have run to make the rebuilt database like the live one.
    """

    key: Key
    live: Facts | None
    rebuilt: Facts | None
    sql: str

    @property
    def title(self) -> str:
        """How a sentence names the object: ``column app.notes.text``."""
        kind, schema, name = self.key
        return f"{kind} {schema}.{name}" if schema else f"{kind} {name}"

    def to_json(self) -> dict[str, str | None]:
        """Return the documented form; of an object in both, only the facts that differ are shown."""
        live, rebuilt = _shown(self.live, self.rebuilt), _shown(self.rebuilt, self.live)
        kind, schema, name = self.key
        return {"schema": schema, "kind": kind, "name": name, "live": live, "rebuilt": rebuilt, "sql": self.sql}


def compare(live: Fingerprint, rebuilt: Fingerprint) -> list[Difference]:
    """Return what differs; what is missing only because its table or schema is, is not told again."""
    if live.digest == rebuilt.digest:
        return []
    keys = [key for key in {*live.objects, *rebuilt.objects} if live.objects.get(key) != rebuilt.objects.get(key)]
    followers = _followers(live, rebuilt, keys)
    found = (_difference(live, rebuilt, key) for key in sorted(keys, key=_order) if not followers(key))
    return [difference for difference in found if difference]


def _order(key: Key) -> tuple[int, Key]:
    return _RANK.get(key.kind, len(_RANK)), key


def _difference(live: Fingerprint, rebuilt: Fingerprint, key: Key) -> Difference | None:
    left = live.facts(key) if key in live.objects else None
    right = rebuilt.facts(key) if key in rebuilt.objects else None
    if left and right and _same_but_for_columns(left, right):
        return None
    return Difference(key, left, right, explain.statement(key, right, left, live))


def _same_but_for_columns(left: Facts, right: Facts) -> bool:
    """Whether two tables differ only in columns that are told by themselves: the order of the others is the same."""
    mine, theirs = left.get("columns", []), right.get("columns", [])
    if {**left, "columns": None} != {**right, "columns": None}:
        return False
    return [name for name in mine if name in theirs] == [name for name in theirs if name in mine]


def _followers(live: Fingerprint, rebuilt: Fingerprint, keys: list[Key]) -> Callable[[Key], bool]:
    """Return whether an object exists on one side only because the table, column or schema it belongs to does."""
    both = live.objects.keys() & rebuilt.objects.keys()
    lonely = {key for key in keys if key not in both}
    schemas = {key.name for key in lonely if key.kind == "schema"}
    tables = {(key.schema, key.name) for key in lonely if key.kind in _TABLES}
    parts = {(key.schema, key.name) for key in lonely if key.kind in ("column", "constraint")}

    def follows(key: Key) -> bool:
        if key not in lonely:
            return False
        side = live if key in live.objects else rebuilt
        owners = set(_owners(key, side.facts(key)))
        return key.schema in schemas or bool(owners & tables) or bool((owners - {key[1:]}) & parts)

    return follows


def _owners(key: Key, facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield what an object cannot be without."""
    if key.kind in _PARTS:
        yield key.schema, key.name.split(".")[0]
    if key.kind == "index":
        yield key.schema, str(facts.get("table"))
        if facts.get("constraint"):
            yield key.schema, f"{facts.get('table')}.{key.name}"
    if key.kind == "sequence" and (owner := facts.get("owned_by")):
        schema, table, column = (part.strip('"') for part in str(owner).split(".", 2))
        yield schema, table
        yield schema, f"{table}.{column}"


def _shown(facts: Facts | None, other: Facts | None) -> str | None:
    if facts is None:
        return None
    names = [name for name in facts if other is None or facts[name] != other.get(name)]
    return "; ".join(f"{name}: {_value(facts[name])}" for name in names) or "–"


def _value(value: Any) -> str:
    if value is True:
        return "yes"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
