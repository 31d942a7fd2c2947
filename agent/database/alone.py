"""Which statements cannot run inside a transaction, as PostgreSQL's own grammar sees them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

_ENDING: Final = re.compile(r"\b(?:commit|rollback)\b", re.IGNORECASE)
_ENDINGS: Final = ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback")
_DATABASE_WIDE: Final = {"REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"}


def _option(node: Any, name: str) -> bool:
    """Whether a list of options switches ``name`` on."""
    for item in node:
        element = item.def_elem
        if element.defname == name:
            word = element.arg.WhichOneof("node")
            value = str(getattr(element.arg, word).sval) if word == "string" else "true"
            return value not in ("false", "off")
    return False


def _reindex(node: Any) -> bool:
    kind = node.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_number[node.kind].name
    return kind in _DATABASE_WIDE or _option(node.params, "concurrently")


def _alter_table(node: Any) -> bool:
    """Whether it detaches a partition concurrently, or ends such a detachment."""
    definitions = (getattr(item.alter_table_cmd, "def") for item in node.cmds)  # its name is a word of Python
    return any(item.WhichOneof("node") == "partition_cmd" and item.partition_cmd.concurrent for item in definitions)


def _subscription(node: Any) -> bool:
    """Whether it makes a replication slot: it does unless it is told not to."""
    told = {item.def_elem.defname: item.def_elem for item in node.options}
    return not any(name in told for name in ("connect", "create_slot"))


def _ends_transactions(node: Any) -> bool:
    """Whether a DO block commits by itself, as those do that change many rows in parts."""
    code = next((item.def_elem.arg.string.sval for item in node.args if item.def_elem.defname == "as"), "")
    return _ENDING.search(code) is not None and any(name in str(_blocks(code)) for name in _ENDINGS)


def _blocks(code: str) -> Any:
    import postgast

    mark = next(mark for number in range(len(code)) if (mark := f"$d{number}$") not in code)
    try:
        return postgast.parse_plpgsql(f"do {mark}{code}{mark}")
    except postgast.PgQueryError:
        return []  # the server will say what is wrong with it


_RULES: Final[dict[str, Callable[[Any], bool]]] = {
    "index_stmt": lambda node: bool(node.concurrent),
    "drop_stmt": lambda node: bool(node.concurrent),
    "reindex_stmt": _reindex,
    "vacuum_stmt": lambda node: bool(node.is_vacuumcmd),
    "cluster_stmt": lambda node: not node.HasField("relation"),
    "alter_table_stmt": _alter_table,
    "create_subscription_stmt": _subscription,
    "createdb_stmt": lambda _: True,
    "dropdb_stmt": lambda _: True,
    "create_table_space_stmt": lambda _: True,
    "drop_table_space_stmt": lambda _: True,
    "alter_system_stmt": lambda _: True,
    "drop_subscription_stmt": lambda _: True,
    "discard_stmt": lambda node: node.target == 1,  # ALL
    "do_stmt": _ends_transactions,
}


_STALLING: Final[dict[str, Callable[[Any], bool]]] = {
    "vacuum_stmt": lambda node: bool(node.is_vacuumcmd) and _option(node.options, "full"),
    "cluster_stmt": lambda _: True,
    "reindex_stmt": lambda node: not _option(node.params, "concurrently"),
}


def stalls(statement: Any) -> bool:
    """Whether readers of a table wait behind a statement that waits for it, and which may be tried again as it is."""
    word = statement.WhichOneof("node")
    return word in _STALLING and _STALLING[word](getattr(statement, word))


_PLAIN: Final = frozenset(
    """
    alter_enum_stmt alter_function_stmt alter_policy_stmt alter_seq_stmt alter_table_stmt comment_stmt
    composite_type_stmt create_domain_stmt create_enum_stmt create_function_stmt create_policy_stmt create_range_stmt
    create_seq_stmt create_stats_stmt create_stmt create_table_as_stmt create_trig_stmt define_stmt delete_stmt
    index_stmt insert_stmt rule_stmt truncate_stmt update_stmt variable_set_stmt view_stmt
    """.split()  # noqa: SIM905 - thirty quotes would not make it clearer
)
"""What makes no schema, gives or takes no right, and is no block of code."""


def plain(statement: Any) -> bool:
    """Whether a statement surely leaves schemas, rights and the transaction alone."""
    word = statement.WhichOneof("node")
    return word in _PLAIN or (word == "drop_stmt" and _dropped(statement.drop_stmt) != "OBJECT_SCHEMA")


def _dropped(node: Any) -> str:
    return str(node.DESCRIPTOR.fields_by_name["remove_type"].enum_type.values_by_number[node.remove_type].name)


def must(statement: Any) -> bool:
    """Whether PostgreSQL refuses this statement inside a transaction."""
    word = statement.WhichOneof("node")
    rule = _RULES.get(word)
    return rule is not None and rule(getattr(statement, word))


def added_label(statement: Any) -> str:
    """Return the value that ALTER TYPE … ADD VALUE adds to an enum; empty for anything else."""
    if not statement.HasField("alter_enum_stmt") or statement.alter_enum_stmt.old_val:
        return ""
    return str(statement.alter_enum_stmt.new_val)
