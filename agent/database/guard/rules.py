"""What each statement does to data, to the running release, to locks and to rights, by PostgreSQL's grammar. Pure.

A rule yields its name and the object it is about; ``judge`` decides what that means for this database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from agent.database.compatibility import Seen
from agent.database.guard.nodes import (
    DEFAULT_SCHEMA,
    body,
    chooses,
    constraints,
    definition,
    dropped,
    granted,
    grantees,
    made,
    options,
    owners,
    relation,
    table,
    upserts,
    word,
)

Hit = tuple[str, str]
"""Name of the rule, and the object (``schema.name``, or with a column behind it)."""

PLATFORM: Final = frozenset(
    """
    _analytics _realtime _supavisor auth cron graphql graphql_public ikoma information_schema net pg_catalog pg_toast
    pgbouncer pgmq pgsodium pgsodium_masks realtime storage supabase_functions supabase_migrations vault
    """.split()  # noqa: SIM905 - thirty quotes would not make it clearer
)
_ON_PLATFORM: Final = {"create_trig_stmt", "create_policy_stmt", "alter_policy_stmt", "comment_stmt", "select_stmt"}
"""What an app may hang on a platform's tables; the proof compares it."""
_DROPS: Final = {
    "OBJECT_TABLE": "drop-table", "OBJECT_FOREIGN_TABLE": "drop-table", "OBJECT_SCHEMA": "drop-schema",
}  # fmt: skip
_CARRIED: Final = {"OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_EXTENSION", "OBJECT_SEQUENCE"}
"""With CASCADE they take columns along."""
_COMMANDS: Final = {
    "AT_DropColumn": "drop-column", "AT_AlterColumnType": "column-type", "AT_SetNotNull": "not-null",
    "AT_DropConstraint": "drop-constraint", "AT_DropNotNull": "drop-constraint", "AT_ColumnDefault": "default",
    "AT_EnableRowSecurity": "row-security", "AT_ForceRowSecurity": "row-security",
    "AT_DisableRowSecurity": "rls-off", "AT_NoForceRowSecurity": "row-security",
}  # fmt: skip
_INDEXED: Final = {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"}
_MOVED: Final = {"AT_SetTableSpace", "AT_SetLogged", "AT_SetUnLogged", "AT_SetAccessMethod"}
_GRANTED: Final = {
    "OBJECT_TABLE", "OBJECT_SCHEMA", "OBJECT_SEQUENCE", "OBJECT_DATABASE", "OBJECT_FUNCTION", "OBJECT_PROCEDURE",
    "OBJECT_ROUTINE",
}  # fmt: skip
_STEADY: Final = {"now", "current_timestamp", "transaction_timestamp", "statement_timestamp", "jsonb_build_object"}
_PLAIN: Final = {
    "rename_stmt": "rename", "alter_object_schema_stmt": "rename", "create_trig_stmt": "trigger",
    "create_policy_stmt": "row-security", "alter_policy_stmt": "row-security", "merge_stmt": "changes-rows",
    "dropdb_stmt": "drop-database", "alter_system_stmt": "alter-system",
}  # fmt: skip


def hits(node: Any, seen: Seen) -> Iterator[Hit]:
    """Yield all that is to say about one statement, given those before it."""
    kind, content = body(node)
    yield from _platform(kind, content, seen)
    if (own := _OWN.get(kind)) is not None:
        yield from own(content)
    elif kind in _PLAIN:
        yield _PLAIN[kind], _subject(kind, content)
    yield from _locks(kind, content)


def _subject(kind: str, content: Any) -> str:
    if kind == "dropdb_stmt":
        return str(content.dbname)
    return table(content) or made(kind, content)


# --- data, and what the running release uses


def _drop(content: Any) -> Iterator[Hit]:
    cascade = word(content, "behavior") == "DROP_CASCADE"
    for kind, name in dropped(content):
        if kind in _CARRIED and cascade:
            yield "drop-cascade", name
        else:
            yield _DROPS.get(kind, "drop-object"), name
    if word(content, "remove_type") == "OBJECT_INDEX" and not content.concurrent:
        yield from (("index-drop-blocks", name) for _, name in dropped(content))


def _drop_owned(content: Any) -> Iterator[Hit]:
    yield "drop-owned", ", ".join(owners(content))


def _truncate(content: Any) -> Iterator[Hit]:
    yield from (("truncate", relation(item.range_var)) for item in content.relations)


def _delete(content: Any) -> Iterator[Hit]:
    bounded = chooses(content) or len(content.using_clause)
    yield ("changes-rows" if bounded else "delete-all"), table(content)


def _update(content: Any) -> Iterator[Hit]:
    bounded = chooses(content) or len(content.from_clause)
    yield ("changes-rows" if bounded else "update-all"), table(content)


def _insert(content: Any) -> Iterator[Hit]:
    if upserts(content):
        yield "changes-rows", table(content)


def _alter(content: Any) -> Iterator[Hit]:
    name = table(content)
    for item in content.cmds:
        command = item.alter_table_cmd
        subtype = word(command, "subtype")
        if subtype in _COMMANDS:
            yield _COMMANDS[subtype], f"{name}.{command.name}" if command.name else name
        if subtype == "AT_AddColumn":
            yield from _added(name, definition(command).column_def)
        elif subtype == "AT_AddConstraint":
            yield "new-constraint", name
            yield from _constraint(name, definition(command).constraint)
        elif subtype in ("AT_AlterColumnType", *_MOVED):
            yield "table-rewrite", name
        elif subtype == "AT_SetNotNull":
            yield "not-null-scans", name
        elif subtype == "AT_AttachPartition":
            yield "attach-scans", name


def _added(name: str, column: Any) -> Iterator[Hit]:
    kinds = constraints(column)
    thing = f"{name}.{column.colname}"
    if kinds & _INDEXED:
        yield "new-constraint", thing
        yield "constraint-builds-index", name
    if "CONSTR_NOTNULL" in kinds and not kinds & {"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"}:
        yield "column-required", thing
    if _rewrites(column, kinds):
        yield "table-rewrite", name
    if kinds & {"CONSTR_FOREIGN", "CONSTR_CHECK"}:
        yield "constraint-scans", name


def _rewrites(column: Any, kinds: set[str]) -> bool:
    """Whether each row gets a value of its own: counted, computed, or by a function that is not known to be steady."""
    if kinds & {"CONSTR_IDENTITY", "CONSTR_GENERATED"}:
        return True
    if any(part.string.sval in ("serial", "bigserial", "smallserial") for part in column.type_name.names):
        return True
    for item in column.constraints:
        if word(item.constraint, "contype") == "CONSTR_DEFAULT" and item.constraint.raw_expr.HasField("func_call"):
            called = item.constraint.raw_expr.func_call.funcname[-1].string.sval
            return called not in _STEADY
    return False


def _constraint(name: str, constraint: Any) -> Iterator[Hit]:
    kind = word(constraint, "contype")
    if kind in ("CONSTR_FOREIGN", "CONSTR_CHECK") and not constraint.skip_validation:
        yield "constraint-scans", name
    if kind in _INDEXED and not constraint.indexname:
        yield "constraint-builds-index", name


def _view(content: Any) -> Iterator[Hit]:
    if content.replace:
        yield "replace", table(content)
    if not any(name == "security_invoker" for name in options(content)):
        yield "view-invoker", table(content)


def _function(content: Any) -> Iterator[Hit]:
    name = made("create_function_stmt", content)
    if content.replace:
        yield "replace", name
    sets = [item.def_elem for item in content.options]
    definer = any(item.defname == "security" and item.arg.boolean.boolval for item in sets)
    fixed = any(item.defname == "set" and item.arg.variable_set_stmt.name == "search_path" for item in sets)
    if definer and not fixed:
        yield "security-definer", name


def _create_table(content: Any) -> Iterator[Hit]:
    if content.relation.relpersistence != "t":
        yield "table-without-rls", table(content)


def _create_table_as(content: Any) -> Iterator[Hit]:
    if word(content, "objtype") == "OBJECT_TABLE" and content.into.rel.relpersistence != "t":
        yield "table-without-rls", table(content)


def _select(content: Any) -> Iterator[Hit]:
    if content.HasField("into_clause") and content.into_clause.rel.relpersistence != "t":
        yield "table-without-rls", relation(content.into_clause.rel)


# --- rights


def _grant(content: Any) -> Iterator[Hit]:
    thing = next(granted(content), "")
    if not content.is_grant:
        yield "revoke", thing
    elif word(content, "objtype") in _GRANTED:
        yield from _strangers(grantees(content), thing)


def _strangers(names: set[str], thing: str) -> Iterator[Hit]:
    if "PUBLIC" in names:
        yield "grant-public", thing
    for name in sorted(names - {"PUBLIC"}):
        yield "grant-anon", f"{thing} → {name}"


def _default_privileges(content: Any) -> Iterator[Hit]:
    if content.action.is_grant and grantees(content.action):
        yield "default-privileges", ", ".join(sorted(grantees(content.action)))


def _set(content: Any) -> Iterator[Hit]:
    if content.name in ("role", "session_authorization"):
        yield "set-role", content.name
    if content.name == "session_replication_role":
        yield "triggers-off", content.name


def _copy(content: Any) -> Iterator[Hit]:
    if content.is_program or content.filename:
        yield "copy-program", table(content) or "copy"


def _platform(kind: str, content: Any, seen: Seen) -> Iterator[Hit]:
    if kind in _ON_PLATFORM:
        return
    names = {table(content), made(kind, content) if kind != "create_extension_stmt" else ""}
    if kind == "drop_stmt":
        names |= {name for what, name in dropped(content) if what not in ("OBJECT_TRIGGER", "OBJECT_POLICY")}
    if kind == "grant_stmt":
        names |= set(granted(content))
    for name in sorted(names):
        if name.partition(".")[0] in PLATFORM - seen.known.owned and not _bucket(kind, name):
            yield "platform-schema", name


def _bucket(kind: str, name: str) -> bool:
    """Buckets are made by inserting a row: the platform's own manual says so."""
    return kind == "insert_stmt" and name == "storage.buckets"


# --- locks


def _locks(kind: str, content: Any) -> Iterator[Hit]:
    if kind == "index_stmt":
        if content.unique:
            yield "new-constraint", table(content)
        if not content.concurrent:
            yield "index-blocks", table(content)
    elif kind == "lock_stmt":
        yield "lock-table", relation(content.relations[0].range_var)
    elif kind == "refresh_mat_view_stmt" and not content.concurrent:
        yield "refresh-blocks", table(content)
    elif kind == "update_stmt" and not chooses(content):
        yield "fills-column", table(content)
    elif kind == "cluster_stmt" or (kind == "vacuum_stmt" and "full" in options(content)):
        yield "table-rewrite", _vacuumed(content)


def _vacuumed(content: Any) -> str:
    if hasattr(content, "rels"):
        return relation(content.rels[0].vacuum_relation.relation) if len(content.rels) else DEFAULT_SCHEMA
    return table(content)


_OWN: Final[dict[str, Callable[[Any], Iterator[Hit]]]] = {
    "drop_stmt": _drop, "drop_owned_stmt": _drop_owned, "truncate_stmt": _truncate,
    "delete_stmt": _delete, "update_stmt": _update, "insert_stmt": _insert,
    "alter_table_stmt": _alter, "view_stmt": _view, "create_function_stmt": _function, "grant_stmt": _grant,
    "create_stmt": _create_table, "create_table_as_stmt": _create_table_as, "select_stmt": _select,
    "alter_default_privileges_stmt": _default_privileges, "variable_set_stmt": _set, "copy_stmt": _copy,
}  # fmt: skip
