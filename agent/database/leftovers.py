"""What a statement that runs outside of a transaction leaves behind when it is cut off, and how that is cleared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql

from agent.database import syntax
from agent.database.connect import Connection
from agent.database.statements import Statement

_INDEXES: Final = """
    select i.indexrelid, n.nspname, x.relname, i.indisvalid and i.indisready from pg_index i
    join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = x.relnamespace
    where i.indrelid = to_regclass(%s)
"""
_HALF_REINDEXED: Final = """
    select n.nspname, x.relname from pg_index i join pg_class x on x.oid = i.indexrelid
    join pg_namespace n on n.oid = x.relnamespace
    where not i.indisvalid and x.relname ~ '_cc(new|old)[0-9]*$' and n.nspname <> 'pg_toast'
    and pg_has_role(x.relowner, 'usage')
"""
_PARTITION: Final = """
    select i.inhdetachpending from pg_inherits i where i.inhrelid = to_regclass(%s) and i.inhparent = to_regclass(%s)
"""


@dataclass(frozen=True, slots=True)
class Left:
    """A statement's traces. The three functions take the connection; two take what was noted before it began.

    Attributes:
        facts: what must be known beforehand to recognise its effect: the indexes that a table has.
        effect: whether it is done, so that only its record is missing.
        clear: remove what is half done.
    """

    facts: Callable[[Connection], list[int]] = lambda _: []
    effect: Callable[[Connection, list[int]], bool] = lambda _c, _f: False
    clear: Callable[[Connection, list[int]], None] = lambda _c, _f: None


def of(statement: Statement) -> Left:
    """Return the traces of a statement; one that may simply run again has none."""
    node = syntax.parse(statement.text).stmts[0].stmt
    word = node.WhichOneof("node")
    maker = _MAKERS.get(word)
    return maker(getattr(node, word)) if maker else Left()


def _name(relation: Any) -> str:
    parts = [relation.schemaname, relation.relname] if relation.schemaname else [relation.relname]
    return sql.Identifier(*parts).as_string(None)


def _ask(connection: Connection, query: str, *params: Any) -> Any:
    row = connection.execute(query.encode(), params).fetchone()
    return row[0] if row else None


def _index(node: Any) -> Left:
    """CREATE INDEX CONCURRENTLY: an index that is not valid; with no name of its own, one that was not there before."""
    table, name = _name(node.relation), str(node.idxname)

    def mine(connection: Connection, before: list[int]) -> list[Any]:
        rows = connection.execute(_INDEXES.encode(), [table]).fetchall()
        return [row for row in rows if (row[2] == name if name else row[0] not in before)]

    def clear(connection: Connection, before: list[int]) -> None:
        for _, schema, found, valid in mine(connection, before):
            if not valid:
                words = sql.SQL("drop index concurrently {}")
                connection.execute(words.format(sql.Identifier(schema, found)))

    return Left(
        facts=lambda connection: [row[0] for row in connection.execute(_INDEXES.encode(), [table]).fetchall()],
        effect=lambda connection, before: any(row[3] for row in mine(connection, before)),
        clear=clear,
    )


def _drop(node: Any) -> Left:
    """DROP INDEX CONCURRENTLY: done when none of the indexes is there."""
    names = [sql.Identifier(*(part.string.sval for part in item.list.items)).as_string(None) for item in node.objects]
    query = "select bool_and(to_regclass(name) is null) from unnest(%s::text[]) name"
    return Left(effect=lambda connection, _: bool(_ask(connection, query, names)))


def _reindex(_: Any) -> Left:
    """REINDEX CONCURRENTLY: indexes under names of its own, which were never put in the place of the old ones."""

    def clear(connection: Connection, _facts: list[int]) -> None:
        for schema, name in connection.execute(_HALF_REINDEXED.encode()).fetchall():
            connection.execute(sql.SQL("drop index concurrently {}").format(sql.Identifier(schema, name)))

    return Left(clear=clear)


def _detach(node: Any) -> Left:
    """DETACH PARTITION CONCURRENTLY: begun, it is finalized; done, there is no partition any more."""
    parent = _name(node.relation)
    command = getattr(node.cmds[0].alter_table_cmd, "def").partition_cmd
    child = _name(command.name)

    def effect(connection: Connection, _facts: list[int]) -> bool:
        pending = _ask(connection, _PARTITION, child, parent)
        if pending:
            connection.execute(f"alter table {parent} detach partition {child} finalize".encode())
        return pending is None or bool(pending)

    return Left(effect=effect)


def _enum(node: Any) -> Left:
    """ALTER TYPE … ADD VALUE: done when the value is there."""
    name = sql.Identifier(*(part.string.sval for part in node.type_name)).as_string(None)
    query = "select true from pg_enum where enumtypid = to_regtype(%s) and enumlabel = %s"
    return Left(effect=lambda connection, _: bool(_ask(connection, query, name, str(node.new_val))))


def _exists(query: str, attribute: str, wanted: bool) -> Callable[[Any], Left]:
    def make(node: Any) -> Left:
        name = str(getattr(node, attribute))
        return Left(effect=lambda connection, _: bool(_ask(connection, query, name)) is wanted)

    return make


_DATABASE: Final = "select true from pg_database where datname = %s"
_SPACE: Final = "select true from pg_tablespace where spcname = %s"
_SUBSCRIPTION: Final = """
    select true from pg_subscription where subname = %s
    and subdbid = (select oid from pg_database where datname = current_database())
"""
_MAKERS: Final[dict[str, Callable[[Any], Left]]] = {
    "index_stmt": _index, "drop_stmt": _drop, "reindex_stmt": _reindex, "alter_table_stmt": _detach,
    "alter_enum_stmt": _enum, "createdb_stmt": _exists(_DATABASE, "dbname", True),
    "dropdb_stmt": _exists(_DATABASE, "dbname", False),
    "create_table_space_stmt": _exists(_SPACE, "tablespacename", True),
    "drop_table_space_stmt": _exists(_SPACE, "tablespacename", False),
    "create_subscription_stmt": _exists(_SUBSCRIPTION, "subname", True),
    "drop_subscription_stmt": _exists(_SUBSCRIPTION, "subname", False),
}  # fmt: skip
