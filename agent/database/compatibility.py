"""Whether the release that runs can live with migrations it does not know, judged on PostgreSQL's own grammar.

Only what surely adds is compatible: new tables, columns that may be left out, new indexes, types, functions, rows,
rights. Anything on a table that the same set of files creates is compatible too, because nobody uses it yet. What
the analysis is not sure of counts as incompatible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from agent.database.statements import located

_ADDING: Final = frozenset(
    {
        "create_stmt", "create_schema_stmt", "create_seq_stmt", "create_enum_stmt", "create_domain_stmt",
        "composite_type_stmt", "create_range_stmt", "create_extension_stmt", "comment_stmt", "insert_stmt",
        "alter_default_privileges_stmt", "create_stats_stmt", "create_table_as_stmt", "alter_enum_stmt",
    }
)  # fmt: skip
_FILLED: Final = frozenset({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"})
_HARMLESS: Final = _FILLED | {"CONSTR_NULL", "CONSTR_NOTNULL", "CONSTR_CHECK", "CONSTR_FOREIGN"}
_REPLACING: Final = frozenset({"view_stmt", "create_function_stmt", "create_trig_stmt"})


@dataclass(frozen=True, slots=True)
class Incompatible:
    """A statement that the running release may not survive."""

    file: str
    line: int
    statement: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.statement}"


def incompatible(files: Iterable[tuple[str, str]]) -> list[Incompatible]:
    """Return the statements that are not surely backward compatible.

    Args:
        files: names and texts of the pending files, in order.

    Raises:
        IkomaError: what ``statements.split`` raises.
    """
    fresh: set[str] = set()
    found = []
    for name, text in files:
        for node, statement in located(text, name):
            kind = str(node.WhichOneof("node"))
            body = getattr(node, kind)
            if not _compatible(kind, body, fresh):
                found.append(Incompatible(name, statement.line, statement.excerpt))
            if kind == "create_stmt":
                fresh.add(_table(body))
    return found


def _compatible(kind: str, body: Any, fresh: set[str]) -> bool:
    if kind in _ADDING:
        return not (kind == "alter_enum_stmt" and body.old_val)
    if kind == "grant_stmt":
        return bool(body.is_grant)
    table = _table(body)
    if kind in _REPLACING:
        return not body.replace and (kind != "create_trig_stmt" or table in fresh)
    if table in fresh:
        return True
    if kind == "index_stmt":
        return not body.unique
    return kind == "alter_table_stmt" and all(_adds_column(item.alter_table_cmd) for item in body.cmds)


def _adds_column(command: Any) -> bool:
    """A new column that existing statements may leave out: nullable, or filled by itself."""
    if _word(command, "subtype") != "AT_AddColumn":
        return False
    column = getattr(command, "def").column_def
    kinds = {_word(item.constraint, "contype") for item in column.constraints}
    return kinds <= _HARMLESS and ("CONSTR_NOTNULL" not in kinds or bool(kinds & _FILLED))


def _word(message: Any, field: str) -> str:
    """Return the name of an enumeration's value."""
    values = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(values[getattr(message, field)].name)


def _table(body: Any) -> str:
    """Return ``schema.table`` of the one table a statement is about, or an empty string."""
    names = {field.name for field in body.DESCRIPTOR.fields}
    for field in ("relation", "table"):
        if field in names and body.HasField(field):
            relation = getattr(body, field)
            return f"{relation.schemaname or 'public'}.{relation.relname}"
    return ""
