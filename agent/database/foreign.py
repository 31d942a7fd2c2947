"""Ledgers of other tools: the Supabase CLI's and dbmate's. They are adopted once, and then kept in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from agent.database import ledger
from agent.database.connect import Connection
from agent.model.errors import IkomaError
from agent.model.migrations import File, stem, version_of

_TABLES: Final = {"supabase": ("supabase_migrations", "schema_migrations"), "dbmate": ("public", "schema_migrations")}
_CREATE: Final = """
    create table if not exists ikoma.adopted (
        kind text primary key,
        count int not null,
        adopted_by text not null default session_user,
        adopted_at timestamptz not null default clock_timestamp()
    )
"""
_COLUMNS: Final = """
    select attname from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What another tool says it has applied; ``said`` is the SQL it kept, None where it keeps none."""

    version: str
    said: str | None


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another tool's ledger: whose it is, its columns, and its rows in their order."""

    kind: str
    columns: frozenset[str]
    rows: tuple[Row, ...] = ()


def find(connection: Connection) -> Foreign | None:
    """Return the other ledger with rows in it; None where there is none."""
    for kind in _TABLES:
        columns = _columns(connection, kind)
        if "version" in columns and (rows := _rows(connection, kind, columns)):
            return Foreign(kind, columns, rows)
    return None


def _columns(connection: Connection, kind: str) -> frozenset[str]:
    name = ".".join(_TABLES[kind])
    return frozenset(row[0] for row in connection.execute(_COLUMNS, [name]).fetchall())


def _rows(connection: Connection, kind: str, columns: frozenset[str]) -> tuple[Row, ...]:
    said = sql.SQL("array_to_string(statements, ';')") if "statements" in columns else sql.SQL("null")
    query = sql.SQL("select version::text, {} from {} order by version::numeric").format(
        said, sql.Identifier(*_TABLES[kind])
    )
    return tuple(Row(*row) for row in connection.execute(query).fetchall())


def matched(found: Foreign, files: Sequence[File], known: set[str], words: Callable[[str], str],
            text: Callable[[File], str]) -> list[File]:  # fmt: skip
    """Return the files that the other tool has applied and our ledger (versions in ``known``) lacks.

    Args:
        words: hashes what a text says.
        text: returns a file's text.

    Raises:
        IkomaError: ``adoption.unknown`` for rows without a file, ``adoption.edited`` for files that say something else.
    """
    by_version = {version_of(item.file): item for item in files}
    lost = [row.version for row in found.rows if row.version not in by_version and row.version not in known]
    if lost:
        raise IkomaError("adoption.unknown", versions=", ".join(lost), kind=found.kind)
    chosen = [(row, by_version[row.version]) for row in found.rows if row.version in by_version]
    edited = [item.file for row, item in chosen if row.said and words(row.said) != words(text(item))]
    if edited:
        raise IkomaError("adoption.edited", files=", ".join(edited), kind=found.kind)
    return [item for row, item in chosen if row.version not in known]


def adopt(connection: Connection, found: Foreign) -> None:
    """Note that the other ledger is to be kept in step; there must be a ledger of ours."""
    connection.execute(_CREATE)
    connection.execute(
        "insert into ikoma.adopted (kind, count) values (%s, %s) on conflict (kind) do nothing",
        [found.kind, len(found.rows)],
    )


def followed(connection: Connection) -> tuple[Foreign, ...]:
    """Return the other ledgers that are kept in step."""
    row = connection.execute("select to_regclass('ikoma.adopted') is not null").fetchone()
    if not (row and row[0]):
        return ()
    kinds = [kind for (kind,) in connection.execute("select kind from ikoma.adopted").fetchall()]
    found = (Foreign(kind, _columns(connection, kind)) for kind in kinds if kind in _TABLES)
    return tuple(item for item in found if "version" in item.columns)


def record(ledgers: Sequence[Foreign], file: str, statements: Sequence[str]) -> Iterator[bytes]:
    """Yield the statements that write a file into the ledgers that are kept in step."""
    values = {"version": version_of(file), "name": stem(file).partition("_")[2], "statements": list(statements)}
    for item in ledgers:
        names = [name for name in values if name in item.columns]
        query = sql.SQL("insert into {} ({}) values ({}) on conflict do nothing").format(
            sql.Identifier(*_TABLES[item.kind]), sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(sql.Literal(values[name]) for name in names),
        )  # fmt: skip
        yield query.as_bytes(None)


def row_of(item: File, tokens: str, operation: str, how: str) -> bytes:
    """Return the statement that writes a file into our ledger that was not applied by us."""
    entry = ledger.Entry(version_of(item.file), stem(item.file), item.sha256, 0, how, operation, tokens)
    return ledger.record(entry)
