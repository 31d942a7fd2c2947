"""Which tables a set of migrations touches, as far as PostgreSQL's own grammar tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from agent.database.statements import located
from agent.model.errors import IkomaError

_OPAQUE: Final = frozenset({"do_stmt", "call_stmt", "execute_stmt", "drop_owned_stmt"})
_LISTED: Final = "drop_stmt"


def tables(files: Iterable[tuple[str, str]], schema: str = "public") -> list[str]:
    """Return ``schema.table`` of every table that is named in ``files`` (names and texts).

    Args:
        schema: where unqualified names are.

    Raises:
        IkomaError: ``backup.untold`` for code that could touch anything; what ``statements.split`` raises.
    """
    found: set[str] = set()
    for name, text in files:
        for node, statement in located(text, name):
            kind = str(node.WhichOneof("node"))
            if kind in _OPAQUE or (kind == _LISTED and _whole_schema(node.drop_stmt)):
                raise IkomaError("backup.untold", file=name, line=statement.line, statement=statement.excerpt)
            found |= set(_named(node, schema))
            if kind == _LISTED:
                found |= set(_dropped(node.drop_stmt, schema))
    return sorted(found)


def _named(message: Any, schema: str) -> Iterator[str]:
    """Yield every relation named anywhere inside a statement."""
    if message.DESCRIPTOR.name == "RangeVar":
        yield f"{message.schemaname or schema}.{message.relname}"
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            repeated = not hasattr(value, "DESCRIPTOR")
            for item in value if repeated else [value]:
                yield from _named(item, schema)


def _whole_schema(body: Any) -> bool:
    return any(len(_words(item)) == 1 and item.WhichOneof("node") == "string" for item in body.objects)


def _dropped(body: Any, schema: str) -> Iterator[str]:
    for item in body.objects:
        words = _words(item)
        if words:
            yield ".".join(words[-2:]) if len(words) > 1 else f"{schema}.{words[0]}"


def _words(item: Any) -> list[str]:
    kind = item.WhichOneof("node")
    if kind == "string":
        return [str(item.string.sval)]
    return (
        [str(part.string.sval) for part in item.list.items if part.WhichOneof("node") == "string"]
        if (kind == "list")
        else []
    )
