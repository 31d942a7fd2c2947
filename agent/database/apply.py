"""Applying migrations: one at a time, one transaction a file, the ledger's row inside it.

A kill at any moment leaves each file applied and recorded, or neither. Nothing waits long for a lock, because
whoever waits for one also makes every later reader of the table wait.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from agent.database import faults, ledger, statements
from agent.database.blockers import LOCK, Watch, migrating
from agent.database.connect import Connection, idle, in_transaction, session, settings
from agent.database.fingerprint import catalog
from agent.database.proof import store
from agent.database.statements import Statement
from agent.model import messages
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import File, compare, stem, version_of

_CONFLICTS: Final = {"55P03", "40P01"}
_QUEUE_POLL_SECONDS: Final = 0.2
_RESET: Final = (
    b"reset session authorization; reset role; reset all; deallocate all; unlisten *; close all; discard temp"
)
_TAIL: Final = b"set constraints all immediate; reset session authorization; reset role"
_UNSHARED: Final = """
    select nspname from pg_namespace where nspname = any(%s)
       and pg_has_role(nspowner, 'usage') and not has_schema_privilege(%s, oid, 'usage')
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

    def tell(self, message_id: str, **params: Any) -> None:
        """Say a sentence of the catalogue."""
        self.say(messages.text(message_id, params, self.lang))


@dataclass(frozen=True, slots=True)
class Script:
    """A migration file, read and understood."""

    file: str
    sha256: str
    statements: tuple[Statement, ...]


class _Failed(Exception):
    def __init__(self, statement: Statement, error: psycopg.Error) -> None:
        super().__init__()
        self.statement, self.error = statement, error


def read(folder: Path, item: File) -> Script:
    """Read and parse one file. Raises ``IkomaError("migration.altered")`` and what ``statements`` raises."""
    try:
        raw = (folder / item.file).read_bytes()
    except FileNotFoundError:
        raise IkomaError("migration.altered", file=item.file) from None
    digest = hashlib.sha256(raw).hexdigest()
    if digest != item.sha256:
        raise IkomaError("migration.altered", file=item.file)
    return Script(item.file, digest, tuple(statements.split(statements.decode(raw, item.file), item.file)))


def migrate(run: Run) -> list[str]:
    """Apply what is pending and return its names; nothing is touched before every pending file is understood.

    Raises:
        IkomaError: the problems of ``Comparison``, what ``read`` raises, ``migration.sql``, ``migration.blocked``,
            ``migration.locked`` and the faults of the connection. What was committed before stands.
    """
    applied: list[str] = []
    with session(run.dsn, f"ikoma:{run.operation}") as connection, _alone(connection, run):
        scripts = _pending(connection, run)
        if scripts:
            _open_ledger(connection, run)
        with Watch(run.dsn, connection.info.backend_pid, f"ikoma:{run.operation}") as watch:
            for script in scripts:
                run.tell("migration.applying", file=script.file)
                _apply(connection, run, script, watch, applied)
                applied.append(stem(script.file))
    return applied


def _open_ledger(connection: Connection, run: Run) -> None:
    """Make the ledger if there is none, with what the database was until now: no proof can know it later."""
    if ledger.exists(connection):
        return
    before = catalog.take(connection, app_role=run.app_role) if run.remember else None
    with connection.transaction():
        ledger.ensure(connection)
        if before:
            store.keep(connection, "baseline", before, run.release, run.operation)


def _pending(connection: Connection, run: Run) -> list[Script]:
    comparison = compare(run.files, ledger.read(connection))
    for problem in comparison.problems():
        raise problem
    by_name = {item.file: item for item in run.files}
    return [read(run.folder, by_name[name]) for name in comparison.pending]


@contextmanager
def _alone(connection: Connection, run: Run) -> Iterator[None]:
    """Hold the migration lock. It is polled: a blocking wait would deadlock with a concurrent index build."""
    started, told = time.monotonic(), False
    while not _try_lock(connection):
        holder, waited = migrating(connection), time.monotonic() - started
        if waited > run.limits.queue_seconds:
            seconds = holder.seconds if holder else int(waited)
            raise IkomaError("migration.locked", holder=holder or "?", seconds=seconds)
        if holder and not told:
            run.tell("migration.queued", holder=holder)
            told = True
        time.sleep(_QUEUE_POLL_SECONDS)
    yield  # the end of the session releases it


def _try_lock(connection: Connection) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s::int, %s::int)", LOCK).fetchone()
    return bool(row and row[0])


def _apply(connection: Connection, run: Run, script: Script, watch: Watch, applied: Sequence[str]) -> None:
    def before_sleep(_: RetryCallState) -> None:
        watch.start()
        if watch.last is not None:
            run.tell("migration.waiting", file=script.file, holder=watch.last)

    retrying = Retrying(
        retry=retry_if_exception(_conflict),
        wait=wait_exponential(multiplier=0.2, exp_base=1.7, max=3),
        stop=stop_after_delay(run.limits.conflict_seconds),
        before_sleep=before_sleep,
        reraise=True,
    )
    try:
        retrying(_attempt, connection, run, script)
    except _Failed as failure:
        raise _explained(failure, run, script, watch, applied) from None


def _conflict(error: BaseException) -> bool:
    return isinstance(error, _Failed) and error.error.sqlstate in _CONFLICTS


def _attempt(connection: Connection, run: Run, script: Script) -> None:
    """Run one file in one transaction; what the one before did to the session ends first."""
    started = time.monotonic()
    last = script.statements[-1] if script.statements else Statement("", 1)
    try:
        connection.execute(_head(connection, run))
        for statement in script.statements:
            _execute(connection, statement)
        _check_open(connection, script, last)
        _share_schemas(connection, run)
        connection.execute(b";".join([_TAIL, ledger.record(_entry(run, script, started)), b"commit"]))
    except psycopg.Error as error:
        raise _Failed(last, error) from None
    finally:
        if not connection.closed and not idle(connection):
            connection.execute("rollback")


def _head(connection: Connection, run: Run) -> bytes:
    """Return, as one message, a session as good as new and the begin of a transaction with its limits."""
    path = sql.SQL("set search_path to {}, public").format(sql.Identifier(run.schema)).as_bytes(connection)
    lock, statement = run.limits.lock_ms, run.limits.statement_seconds
    limits = f"set local lock_timeout = '{lock}ms'; set local statement_timeout = '{statement}s'"
    words = [_RESET, settings(connection), b"begin", limits.encode()]
    return b";".join([*words, path] if run.schema != "public" else words)


def _execute(connection: Connection, statement: Statement) -> None:
    try:
        connection.execute(statement.text.encode())
    except psycopg.Error as error:
        raise _Failed(statement, error) from None


def _check_open(connection: Connection, script: Script, last: Statement) -> None:
    """A file that ended its own transaction (from within a procedure, say) must not be recorded as one."""
    if not in_transaction(connection):
        raise IkomaError("migration.transaction_control", file=script.file, line=last.line, word="COMMIT")


def _share_schemas(connection: Connection, run: Run) -> None:
    """Let the app's role into the contract's schemas, in the transaction that made them."""
    if not run.app_role:
        return
    connection.execute("reset session authorization; reset role")
    for (name,) in connection.execute(_UNSHARED, [list(run.schemas), run.app_role]).fetchall():
        grant = sql.SQL("grant usage on schema {} to {}")
        connection.execute(grant.format(sql.Identifier(name), sql.Identifier(run.app_role)))


def _entry(run: Run, script: Script, started: float) -> ledger.Entry:
    spent = int((time.monotonic() - started) * 1000)
    version, name = version_of(script.file), stem(script.file)
    return ledger.Entry(version, name, script.sha256, spent, run.release, run.operation)


def _explained(failure: _Failed, run: Run, script: Script, watch: Watch, applied: Sequence[str]) -> IkomaError:
    error, statement = failure.error, failure.statement
    position = int(error.diag.statement_position or 1)
    line = statement.line + statement.text.count("\n", 0, position - 1)
    if faults.environmental(error):
        return faults.working(error, run.dsn)
    if error.sqlstate in _CONFLICTS:
        seconds, holder = int(run.limits.conflict_seconds), watch.last
        return IkomaError("migration.blocked", file=script.file, line=line, seconds=seconds,
                          holder=holder or "?", pid=holder.pid if holder else "?")  # fmt: skip
    correct = messages.text("migration.sql.hint", {"file": script.file}, run.lang)
    done = "migration.stand" if applied else "migration.none_stand"
    return IkomaError(
        "migration.sql",
        file=script.file,
        line=line,
        code=error.sqlstate,
        reason=faults.primary(error),
        statement=statement.excerpt,
        hint=f"{error.diag.message_hint} {correct}" if error.diag.message_hint else correct,
        done=messages.text(done, {"names": ", ".join(applied)}, run.lang),
    )
