"""Whether the release that runs can live with migrations it does not know, judged on PostgreSQL's own grammar.

Only what surely adds is compatible: new tables, columns that may be left out, new indexes, types, functions, rows
(none that overwrites another), rights. Anything on what the same set of files creates is compatible too, because
nobody uses it yet. What the analysis is not sure of counts as incompatible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from agent.database.guard.nodes import (
    body,
    constraints,
    definition,
    dropped,
    is_relation,
    made,
    relation,
    renamed,
    sql_inside,
    strings,
    table,
    upserts,
    word,
    writes,
)
from agent.database.statements import located
from agent.model.errors import IkomaError
from agent.model.guardrails import Known

_ADDING: Final = frozenset(
    {
        "create_stmt", "create_schema_stmt", "create_seq_stmt", "create_enum_stmt", "create_domain_stmt",
        "composite_type_stmt", "create_range_stmt", "create_extension_stmt", "comment_stmt",
        "alter_default_privileges_stmt", "create_stats_stmt", "create_table_as_stmt", "alter_enum_stmt",
        "create_role_stmt", "create_foreign_table_stmt", "create_fdw_stmt", "create_foreign_server_stmt",
    }
)  # fmt: skip
_ASIDE: Final = frozenset(
    {
        "variable_set_stmt", "variable_show_stmt", "transaction_stmt", "lock_stmt", "vacuum_stmt", "reindex_stmt",
        "cluster_stmt", "refresh_mat_view_stmt", "discard_stmt", "notify_stmt", "constraints_set_stmt",
    }
)  # fmt: skip
"""They change how the session works, or how things lie on the disk; their locks are another rule's."""
_FILLED: Final = frozenset({"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"})
_HARMLESS: Final = _FILLED | {"CONSTR_NULL", "CONSTR_NOTNULL", "CONSTR_CHECK", "CONSTR_FOREIGN"}
_REPLACING: Final = frozenset({"view_stmt", "create_function_stmt", "create_trig_stmt"})
_TUNING: Final = frozenset(
    {
        "AT_SetStatistics", "AT_SetStorage", "AT_SetCompression", "AT_SetRelOptions", "AT_ResetRelOptions",
        "AT_SetOptions", "AT_ResetOptions", "AT_ClusterOn", "AT_DropCluster", "AT_ValidateConstraint",
    }
)  # fmt: skip
_OF_A_COLUMN: Final = frozenset({"AT_DropColumn", "AT_AlterColumnType", "AT_ColumnDefault", "AT_DropNotNull"})


@dataclass(frozen=True, slots=True)
class Incompatible:
    """A statement that the running release may not survive."""

    file: str
    line: int
    statement: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.statement}"


@dataclass(slots=True)
class Seen:
    """What the files so far have made, and what the database is known not to have: nobody uses either."""

    known: Known = field(default_factory=Known)
    names: set[str] = field(default_factory=set)
    columns: set[tuple[str, str]] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    """Relations that have another name in the database than the files have given them."""

    def fresh(self, name: str) -> bool:
        """Whether no release uses a relation yet."""
        return bool(name) and (name in self.names or self.lacks(name))

    def lacks(self, name: str) -> bool:
        """Whether it is certain that the database has no such relation, under its first name either."""
        return self.known.lacks(self.renamed.get(name, name))

    def note(self, node: Any) -> None:
        """Remember what a statement makes."""
        kind, content = body(node)
        if (name := made(kind, content)) and not (getattr(content, "if_not_exists", False) and self._there(name)):
            self.names.add(name)
        if name := renamed(kind, content):
            self._rename(table(content), name)
        if kind == "alter_table_stmt":
            altered = table(content)
            for item in content.cmds:
                if word(item.alter_table_cmd, "subtype") == "AT_AddColumn":
                    self.columns.add((altered, definition(item.alter_table_cmd).column_def.colname))

    def _rename(self, old: str, new: str) -> None:
        self.names -= {new}
        if old in self.names:
            self.names = self.names - {old} | {new}
        else:
            self.renamed[new] = self.renamed.pop(old, old)

    def _there(self, name: str) -> bool:
        return self.known.relations is not None and name in self.known.relations


def incompatible(files: Iterable[tuple[str, str]], known: Known | None = None) -> list[Incompatible]:
    """Return the statements that are not surely backward compatible.

    Args:
        files: names and texts of the pending files, in order.

    Raises:
        IkomaError: what ``statements.split`` raises.
    """
    seen = Seen(known or Known())
    found = []
    for name, text in files:
        for node, statement in located(text, name):
            if not compatible(node, seen):
                found.append(Incompatible(name, statement.line, statement.excerpt))
            seen.note(node)
    return found


def compatible(node: Any, seen: Seen) -> bool:
    """Whether the running release surely lives on after one statement, given those before it."""
    return all(by_itself(item, seen) for item in (node, *writes(node)))


def by_itself(node: Any, seen: Seen) -> bool:
    """Whether it does so far as the statement itself goes, whatever the statements inside it write."""
    kind, content = body(node)
    if kind in _ADDING:
        return not (kind == "alter_enum_stmt" and content.old_val)
    if kind in _ASIDE or (kind == "copy_stmt" and content.is_from):
        return True
    if kind in ("grant_stmt", "grant_role_stmt"):
        return bool(content.is_grant)
    if kind == "do_stmt":
        return _inside(content, seen)
    if kind == "drop_stmt":
        return all(unused(what, name, seen, forgiving=content.missing_ok) for what, name in dropped(content))
    if kind == "truncate_stmt":
        return all(seen.fresh(relation(item.range_var)) for item in content.relations)
    if kind in _REPLACING:
        return _replaced(kind, content, seen)
    if seen.fresh(table(content)):
        return True
    return _touches_nothing_used(kind, content, seen)


def unused(kind: str, name: str, seen: Seen, *, forgiving: bool) -> bool:
    """Whether an object that DROP names is made by the same files, or (IF EXISTS) is not there at all."""
    if name in seen.names or ("/" in name and seen.fresh(name.partition("/")[0])):
        return True
    return forgiving and is_relation(kind) and seen.lacks(name)


def _replaced(kind: str, content: Any, seen: Seen) -> bool:
    name = made(kind, content)
    if kind == "create_trig_stmt":
        return not content.replace and seen.fresh(table(content))
    return not content.replace or name in seen.names or (kind == "view_stmt" and seen.fresh(name))


def _touches_nothing_used(kind: str, content: Any, seen: Seen) -> bool:
    if kind == "index_stmt":
        return not content.unique
    if kind == "insert_stmt":
        return not upserts(content) or _sets_new_columns(content.on_conflict_clause, table(content), seen)
    if kind == "update_stmt":
        return _sets_new_columns(content, table(content), seen)
    if kind == "rename_stmt":
        return f"{table(content)}" in seen.names
    return kind == "alter_table_stmt" and all(
        _harmless(item.alter_table_cmd, table(content), seen) for item in content.cmds
    )


def _sets_new_columns(clause: Any, altered: str, seen: Seen) -> bool:
    return all((altered, item.res_target.name) in seen.columns for item in clause.target_list)


def _harmless(command: Any, altered: str, seen: Seen) -> bool:
    subtype = word(command, "subtype")
    if subtype in _TUNING or (subtype in _OF_A_COLUMN and (altered, command.name) in seen.columns):
        return True
    return subtype == "AT_AddColumn" and _may_be_left_out(definition(command).column_def)


def _may_be_left_out(column: Any) -> bool:
    """A new column that existing statements may leave out: nullable, or filled by itself."""
    kinds = constraints(column)
    serial = strings(column.type_name.names)[-1:] in (["serial"], ["bigserial"], ["smallserial"])
    return kinds <= _HARMLESS and ("CONSTR_NOTNULL" not in kinds or bool(kinds & _FILLED) or serial)


def _inside(content: Any, seen: Seen) -> bool:
    """Whether all that a DO statement runs is compatible; what it puts together at run time is not known."""
    nodes, whole = inside_do(content)
    return whole and all(compatible(node, seen) for node in nodes)


def inside_do(content: Any) -> tuple[list[Any], bool]:
    """Return the statements that a DO statement runs, and whether that is all of it; a loop's plain SELECT is none."""
    code = next((item.def_elem.arg.string.sval for item in content.args if item.def_elem.defname == "as"), "")
    mark = "$ikoma$"
    while mark in code:
        mark = f"{mark[:-1]}x$"
    texts, whole = sql_inside(f"do {mark}{code}{mark}")
    found: list[Any] = []
    for text, source in texts:
        try:
            nodes = [node for node, _ in located(text, "")]
        except IkomaError:
            whole = False
        else:
            found += [node for node in nodes if not source or body(node)[0] != "select_stmt" or writes(node)]
    return found, whole
