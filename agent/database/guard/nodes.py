"""Reading the grammar's nodes: which object a statement is about, and what its words are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

DEFAULT_SCHEMA: Final = "public"

_BY_PARENT: Final = {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}
_RELATIONS: Final = {
    "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_FOREIGN_TABLE",
}  # fmt: skip
_WRITING: Final = {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}
_KEPT: Final = {"create_function_stmt", "rule_stmt"}
"""What stands in them runs when somebody calls it, not with the migration."""


def word(message: Any, field: str) -> str:
    """Return the name of an enumeration's value."""
    values = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(values[getattr(message, field)].name)


def body(node: Any) -> tuple[str, Any]:
    """Return a statement's kind and its content."""
    kind = str(node.WhichOneof("node"))
    return kind, getattr(node, kind)


def strings(nodes: Iterable[Any]) -> list[str]:
    """Return the words of a list of string nodes."""
    return [str(item.string.sval) for item in nodes if item.HasField("string")]


def qualified(names: list[str], schema: str = DEFAULT_SCHEMA) -> str:
    """Return ``schema.name`` of a name of one or more words."""
    return ".".join(names[-2:]) if len(names) > 1 else f"{schema}.{names[0]}" if names else ""


def relation(message: Any) -> str:
    """Return ``schema.table`` of a range variable."""
    return f"{message.schemaname or DEFAULT_SCHEMA}.{message.relname}" if message.relname else ""


def table(statement: Any) -> str:
    """Return ``schema.table`` of the one table a statement is about, or an empty string."""
    names = {field.name for field in statement.DESCRIPTOR.fields}
    for name in ("relation", "table", "view"):
        if name in names and statement.HasField(name):
            return relation(getattr(statement, name))
    if "into" in names and statement.HasField("into"):
        return relation(statement.into.rel)
    if "base_stmt" in names and statement.HasField("base_stmt"):
        return relation(statement.base_stmt.relation)
    return ""


def below(message: Any) -> Iterator[Any]:
    """Yield every node inside a message, but for the rows of VALUES: nothing in them writes, and there may be many."""
    waiting = [message]
    while waiting:
        inner = []
        for field, value in waiting.pop().ListFields():
            if field.message_type is not None and field.name != "values_lists":
                inner += [value] if hasattr(value, "ListFields") else list(value)
        yield from (item for item in inner if item.DESCRIPTOR.name == "Node")
        waiting += reversed(inner)


def writes(node: Any) -> list[Any]:
    """Return the statements inside a statement that write rows: of its WITH clauses, or what EXPLAIN runs."""
    kind, content = body(node)
    return [] if kind in _KEPT else [item for item in below(content) if item.WhichOneof("node") in _WRITING]


def upserts(statement: Any) -> bool:
    """Whether an INSERT overwrites the rows that are there: ON CONFLICT DO UPDATE."""
    clause = statement.on_conflict_clause
    return statement.HasField("on_conflict_clause") and word(clause, "action") == "ONCONFLICT_UPDATE"


def chooses(statement: Any) -> bool:
    """Whether WHERE says which rows, by a column or a cursor; ``where true`` does not."""
    if not statement.HasField("where_clause"):
        return False
    condition = (statement.where_clause, *below(statement.where_clause))
    return any(item.WhichOneof("node") in ("column_ref", "current_of_expr") for item in condition)


def dropped(statement: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each object that DROP names; triggers and policies as ``schema.table/name``."""
    kind = word(statement, "remove_type")
    for item in statement.objects:
        field = item.WhichOneof("node")
        if field == "list":
            names = strings(item.list.items)
            if kind in _BY_PARENT:
                yield kind, f"{qualified(names[:-1])}/{names[-1]}"
            else:
                yield kind, qualified(names)
        elif field == "object_with_args":
            yield kind, qualified(strings(item.object_with_args.objname))
        elif field == "type_name":
            yield kind, qualified(strings(item.type_name.names))
        elif field == "string":
            yield kind, str(item.string.sval)


def is_relation(kind: str) -> bool:
    """Whether ``pg_class`` has objects of this kind: then a live database can say whether they exist."""
    return kind in _RELATIONS


def made(kind: str, statement: Any) -> str:
    """Return the name of the object that a statement makes, in the form of ``dropped``; empty where it makes none."""
    if kind in ("create_stmt", "view_stmt", "create_table_as_stmt", "create_seq_stmt", "create_foreign_table_stmt"):
        return relation(statement.sequence) if kind == "create_seq_stmt" else table(statement)
    if kind == "index_stmt":
        return f"{statement.relation.schemaname or DEFAULT_SCHEMA}.{statement.idxname}" if statement.idxname else ""
    if kind == "create_function_stmt":
        return qualified(strings(statement.funcname))
    if kind in ("create_enum_stmt", "create_range_stmt"):
        return qualified(strings(statement.type_name))
    if kind == "create_domain_stmt":
        return qualified(strings(statement.domainname))
    if kind == "composite_type_stmt":
        return relation(statement.typevar)
    if kind == "create_trig_stmt":
        return f"{relation(statement.relation)}/{statement.trigname}"
    if kind == "create_policy_stmt":
        return f"{relation(statement.table)}/{statement.policy_name}"
    if kind in ("create_schema_stmt", "create_extension_stmt"):
        return str(statement.schemaname if kind == "create_schema_stmt" else statement.extname)
    return ""


def renamed(kind: str, statement: Any) -> str:
    """Return the new name of the relation that a statement renames or moves; empty where it does neither."""
    if kind == "rename_stmt" and statement.HasField("relation") and not statement.subname:
        return f"{statement.relation.schemaname or DEFAULT_SCHEMA}.{statement.newname}"
    if kind == "alter_object_schema_stmt" and statement.HasField("relation"):
        return f"{statement.newschema}.{statement.relation.relname}"
    return ""


def definition(command: Any) -> Any:
    """Return what an ALTER TABLE command carries; its field's name is a word of Python."""
    return getattr(command, "def")


def constraints(column: Any) -> set[str]:
    """Return the kinds of constraints that stand beside a column."""
    return {word(item.constraint, "contype") for item in column.constraints}


def options(statement: Any) -> dict[str, Any]:
    """Return the options of a statement by name."""
    return {item.def_elem.defname: item.def_elem for item in statement.options}


def granted(statement: Any) -> Iterator[str]:
    """Yield what a GRANT is about: relations, functions, types, and schemas by their bare name."""
    whole_schema = word(statement, "objtype") == "OBJECT_SCHEMA" or "ALL_IN_SCHEMA" in word(statement, "targtype")
    for item in statement.objects:
        if item.HasField("range_var"):
            yield relation(item.range_var)
        elif item.HasField("object_with_args"):
            yield qualified(strings(item.object_with_args.objname))
        elif item.HasField("list"):
            yield qualified(strings(item.list.items))
        elif item.HasField("string") and whole_schema:
            yield str(item.string.sval)


def grantees(statement: Any) -> set[str]:
    """Return to whom a GRANT goes; ``PUBLIC`` for everybody."""
    roles = [item.role_spec for item in statement.grantees]
    return {"PUBLIC" if word(role, "roletype") == "ROLESPEC_PUBLIC" else str(role.rolename) for role in roles}


def owners(statement: Any) -> list[str]:
    """Return whose things DROP OWNED removes."""
    roles = [item.role_spec for item in statement.roles]
    return [str(role.rolename) or word(role, "roletype").removeprefix("ROLESPEC_").lower() for role in roles]


def sql_inside(code: str) -> tuple[list[tuple[str, bool]], bool]:
    """Return the SQL that a DO statement runs, and whether that is all of it (no EXECUTE, nothing unreadable).

    Beside each text: whether it is only what a loop or a cursor reads from.
    """
    import postgast

    try:
        tree = postgast.parse_plpgsql(code)
    except postgast.PgQueryError:
        return [], False
    found: list[tuple[str, bool]] = []
    whole = _walk(tree, found)
    return found, whole


def _walk(tree: Any, found: list[tuple[str, bool]]) -> bool:
    if isinstance(tree, list):
        parts = [_walk(item, found) for item in tree]  # each is looked at, whatever the first says
        return all(parts)
    if not isinstance(tree, dict):
        return True
    whole = True
    for name, content in tree.items():
        if name in ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors", "PLpgSQL_stmt_call"):
            whole = False
        elif name == "PLpgSQL_stmt_execsql":
            found.append((str(content["sqlstmt"]["PLpgSQL_expr"]["query"]), False))
        elif name == "PLpgSQL_expr" and not content.get("parseMode"):  # a query, where others are expressions
            found.append((str(content["query"]), True))
        elif name == "PLpgSQL_stmt_perform":
            whole = False  # it calls a function, whatever that does
        else:
            whole = _walk(content, found) and whole
    return whole
