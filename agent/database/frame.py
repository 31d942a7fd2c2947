"""What applying migrations is given, and what every file runs in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from agent.database import batch, foreign, ledger
from agent.database.connect import Connection, idle, in_transaction, settings
from agent.database.foreign import Foreign
from agent.database.statements import Statement
from agent.model import messages
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import File, stem, version_of

_RESET: Final = (
    b"reset session authorization", b"reset role", b"reset all", b"deallocate all", b"unlisten *", b"close all",
    b"discard temp",
)  # fmt: skip
_MESSAGE: Final = 1 << 20
"""Characters of a file up to which it is sent whole."""
TAIL: Final = (b"set constraints all immediate", b"reset session authorization", b"reset role")
_UNSHARED: Final = """
    select nspname from pg_namespace where nspname = any(%s)
       and pg_has_role(nspowner, 'usage')
       and case when to_regrole(quote_ident(%s)) is null then false else not has_schema_privilege(%s, oid, 'usage') end
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take.

    Attributes:
        lock_ms: wait for a table's lock in one attempt; the longest that other readers are held up.
        statement_seconds: one statement.
        conflict_seconds: all attempts at one file while others hold its tables.
        queue_seconds: another migration of the same database.
    """

    lock_ms: int = 250
    statement_seconds: int = 1800
    conflict_seconds: float = 60.0
    queue_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    """One migration of one database.

    Attributes:
        files: all migrations of the release (``folder`` holds them), applied ones too.
        schemas: those whose use is granted to ``app_role``, if that role exists.
        schema: where unqualified names go.
        say: takes a line of progress in the language ``lang``.
        remember: keep what the database was before its first migration; a throw-away one has no use for it.
        follow: ledgers of other tools that are kept in step.
        docker_socket: where one asks whether the server runs in a container.
        max_gb: disk that all of it may fill where it runs for a trial.
        shared: the app's role may use all of the schemas that are there; only certain statements can change that.
    """

    dsn: Dsn
    folder: Path
    files: Sequence[File]
    release: str
    operation: str
    schemas: Sequence[str] = ("public",)
    schema: str = "public"
    app_role: str = ""
    lang: str = "en"
    limits: Limits = field(default_factory=Limits)
    say: Callable[[str], object] = len  # nobody listens
    remember: bool = True
    follow: Sequence[Foreign] = ()
    shared: bool = False
    docker_socket: str = ""
    max_gb: float = 20.0

    def tell(self, message_id: str, **params: Any) -> None:
        """Say a sentence of the catalogue."""
        self.say(messages.text(message_id, params, self.lang))


@dataclass(frozen=True, slots=True)
class Script:
    """A migration file, read and understood.

    Attributes:
        sha256: over its bytes.
        tokens: over what it says (``statements.tokens``).
    """

    file: str
    sha256: str
    tokens: str
    statements: tuple[Statement, ...]

    @property
    def parted(self) -> bool:
        """Whether it cannot be one transaction."""
        return any(statement.alone for statement in self.statements)

    @property
    def last(self) -> Statement:
        """The last statement; an empty one of a file without any."""
        return self.statements[-1] if self.statements else Statement("", 1)

    @property
    def plain(self) -> bool:
        """Whether it can be one message, its record and its commit included: the server parses a message whole."""
        short = sum(len(statement.text) for statement in self.statements) <= _MESSAGE
        return short and all(statement.plain for statement in self.statements)


class Failed(Exception):
    """A statement failed.

    Attributes:
        stands: how many statements of the file before it stay.
        shift: by how many characters the server's position is too high.
    """

    def __init__(self, statement: Statement, error: psycopg.Error, stands: int = 0, shift: int = 0) -> None:
        super().__init__()
        self.statement, self.error, self.stands, self.shift = statement, error, stands, shift


def fresh(connection: Connection, run: Run) -> list[bytes]:
    """Return statements that make a session as good as new."""
    return [*_RESET, *settled(connection, run)]


def settled(connection: Connection, run: Run) -> list[bytes]:
    """Return statements that give a session its limits and its path."""
    path = sql.SQL("set search_path to {}, public").format(sql.Identifier(run.schema)).as_bytes(connection)
    words = [settings(connection)]
    return [*words, path] if run.schema != "public" else words


def clean(connection: Connection, run: Run) -> None:
    """End whatever a file left open, and make the session as good as new; a lost one is left alone."""
    if connection.closed:
        return
    if not idle(connection):
        connection.execute("rollback")
    try:
        batch.execute(connection, fresh(connection, run))
    except batch.Stopped as stopped:
        raise stopped.error from None


def begin(run: Run) -> list[bytes]:
    """Return the begin of a transaction with its limits, without a query: the file may choose its isolation."""
    lock, statement = run.limits.lock_ms, run.limits.statement_seconds
    limits = (f"set local lock_timeout = '{lock}ms'", f"set local statement_timeout = '{statement}s'")
    return [b"begin", *(limit.encode() for limit in limits)]


def execute(connection: Connection, statement: Statement, stands: int = 0) -> None:
    """Run one statement of a file. Raises ``Failed``."""
    try:
        if statement.rows is None:
            connection.execute(statement.text.encode())
        else:
            with connection.cursor().copy(statement.text.encode()) as copy:
                copy.write(statement.rows)
    except psycopg.Error as error:
        raise Failed(statement, error, stands) from None


def check_open(connection: Connection, script: Script) -> None:
    """A file that ended its own transaction (from within a procedure, say) must not be recorded as one."""
    if not in_transaction(connection):
        raise IkomaError("migration.transaction_control", file=script.file, line=script.last.line, word="COMMIT")


def unshared(connection: Connection, run: Run) -> list[str]:
    """Return the contract's schemas that the app's role may not use, though we could let it."""
    if not run.app_role:
        return []
    rows = connection.execute(_UNSHARED, [list(run.schemas), run.app_role, run.app_role]).fetchall()
    return [name for (name,) in rows]


def share_schemas(connection: Connection, run: Run) -> None:
    """Let the app's role into the contract's schemas, in the transaction that made them."""
    if not run.app_role:
        return
    connection.execute("reset session authorization; reset role")
    for name in unshared(connection, run):
        grant = sql.SQL("grant usage on schema {} to {}")
        connection.execute(grant.format(sql.Identifier(name), sql.Identifier(run.app_role)))


def entry(run: Run, script: Script, spent: int | None = None) -> ledger.Entry:
    """Return the row that says the file was applied; ``spent`` as in ``ledger.Entry``."""
    version, name = version_of(script.file), stem(script.file)
    return ledger.Entry(version, name, script.sha256, spent, run.release, run.operation, script.tokens)


def recorded(run: Run, script: Script, spent: int | None = None) -> list[bytes]:
    """Return the statements that record a file: in our ledger, and in those that are kept in step."""
    texts = [statement.text for statement in script.statements] if run.follow else []
    return [ledger.record(entry(run, script, spent)), *foreign.record(run.follow, script.file, texts)]
