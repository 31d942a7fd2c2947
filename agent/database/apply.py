"""Applying migrations: one at a time, one transaction a file, the ledger's row inside it.

A kill at any moment leaves each file applied and recorded, or neither. Nothing waits long for a lock, because
whoever waits for one also makes every later reader of the table wait. Files that cannot be one transaction are
``stepwise``'s.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import psycopg
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from agent.database import batch, faults, foreign, frame, ledger, statements, stepwise
from agent.database.blockers import LOCK, Watch, migrating
from agent.database.connect import Connection, session
from agent.database.fingerprint import catalog
from agent.database.frame import Failed, Run, Script
from agent.database.proof import store
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.migrations import File, compare, stem

_CONFLICTS: Final = {"55P03", "40P01"}
_QUEUE_POLL_SECONDS: Final = 0.2


def read(folder: Path, item: File) -> Script:
    """Read and parse one file. Raises ``IkomaError("migration.altered")`` and what ``statements`` raises."""
    try:
        raw = (folder / item.file).read_bytes()
    except FileNotFoundError:
        raise IkomaError("migration.altered", file=item.file) from None
    digest = hashlib.sha256(raw).hexdigest()
    if digest != item.sha256:
        raise IkomaError("migration.altered", file=item.file)
    text = statements.decode(raw, item.file)
    found = tuple(statements.split(text, item.file))
    return Script(item.file, digest, statements.tokens(text), found)


def tokens_of(folder: Path, item: File) -> str:
    """Return the hash over what a file says, for a comparison; empty for one that cannot be read."""
    try:
        return statements.tokens(statements.decode((folder / item.file).read_bytes(), item.file))
    except (OSError, IkomaError):
        return ""


def migrate(run: Run) -> list[str]:
    """Apply what is pending and return its names; nothing is touched before every pending file is understood.

    Raises:
        IkomaError: the problems of ``Comparison``, what ``read`` raises, ``migration.sql``, ``migration.blocked``,
            ``migration.locked`` and the faults of the connection. What was committed before stands.
    """
    applied: list[str] = []
    with session(run.dsn, f"ikoma:{run.operation}") as connection, alone(connection, run):
        scripts = _pending(connection, run)
        if scripts:
            _open_ledger(connection, run)
            run = replace(run, follow=foreign.followed(connection), shared=not frame.unshared(connection, run))
            frame.clean(connection, run)
        with Watch(run.dsn, connection.info.backend_pid, f"ikoma:{run.operation}") as watch:
            for script in scripts:
                run.tell("migration.applying", file=script.file)
                _apply(connection, run, script, watch, applied)
                applied.append(stem(script.file))
    return applied


def _open_ledger(connection: Connection, run: Run) -> None:
    """Make the ledger if there is none, with what the database was until now: no proof can know it later."""
    if ledger.exists(connection):
        ledger.ensure(connection)
        return
    before = catalog.take(connection, app_role=run.app_role) if run.remember else None
    with connection.transaction():
        ledger.ensure(connection)
        if before:
            store.keep(connection, "baseline", before, run.release, run.operation)


def _pending(connection: Connection, run: Run) -> list[Script]:
    comparison = compare(run.files, ledger.read(connection), partial(tokens_of, run.folder))
    for problem in comparison.problems():
        raise problem
    by_name = {item.file: item for item in run.files}
    return [read(run.folder, by_name[name]) for name in comparison.pending]


@contextmanager
def alone(connection: Connection, run: Run) -> Iterator[None]:
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
    if script.parted:
        watch.start()  # what works concurrently waits as long as it must: whoever it waited for is named
    try:
        retrying(stepwise.attempt if script.parted else _attempt, connection, run, script)
    except Failed as failure:
        raise _explained(failure, run, script, watch, applied) from None


def _conflict(error: BaseException) -> bool:
    return isinstance(error, Failed) and error.error.sqlstate in _CONFLICTS


def _attempt(connection: Connection, run: Run, script: Script) -> None:
    """Run one file in one transaction, and leave the session as good as new."""
    try:
        (_at_once if script.plain and run.shared else _watched)(connection, run, script)
    except BaseException:
        frame.clean(connection, run)
        raise


def _at_once(connection: Connection, run: Run, script: Script) -> None:
    """Send a file, its record and its commit as one message; the server stops at the first statement that fails."""
    head, texts = frame.begin(run), [statement.text.encode() for statement in script.statements]
    done = [*frame.TAIL, *frame.recorded(run, script), b"commit"]
    try:
        batch.execute(connection, [*head, *texts, *done, *frame.fresh(connection, run)])
    except batch.Stopped as stopped:
        number = stopped.number - len(head)
        if number >= len(texts) + len(done):  # it is committed; only the session was not made new
            frame.clean(connection, run)
            return
        if 0 <= number < len(texts):
            raise Failed(script.statements[number], stopped.error, shift=stopped.shift) from None
        raise Failed(script.last, stopped.error) from None
    except psycopg.Error as error:
        raise Failed(script.last, error) from None


def _watched(connection: Connection, run: Run, script: Script) -> None:
    """Run a file that might make a schema, or end its own transaction: it is looked at before its record."""
    try:
        batch.execute(connection, frame.begin(run))
        for statement in script.statements:
            frame.execute(connection, statement)
        frame.check_open(connection, script)
        frame.share_schemas(connection, run)
        batch.execute(connection, [*frame.TAIL, *frame.recorded(run, script), b"commit"])
        frame.clean(connection, run)
    except batch.Stopped as stopped:
        raise Failed(script.last, stopped.error) from None
    except psycopg.Error as error:
        raise Failed(script.last, error) from None


def _explained(failure: Failed, run: Run, script: Script, watch: Watch, applied: Sequence[str]) -> IkomaError:
    error, statement = failure.error, failure.statement
    position = int(error.diag.statement_position or 1 + failure.shift) - failure.shift
    line = statement.line + statement.text.count("\n", 0, position - 1)
    if faults.environmental(error):
        return faults.working(error, run.dsn)
    if error.sqlstate in _CONFLICTS:
        seconds, holder = int(run.limits.conflict_seconds), watch.last
        return IkomaError("migration.blocked", file=script.file, line=line, seconds=seconds,
                          holder=holder or "?", pid=holder.pid if holder else "?")  # fmt: skip
    kind = "migration.sql.hint_parts" if script.parted else "migration.sql.hint"
    correct = messages.text(kind, {"file": script.file, "count": failure.stands}, run.lang)
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
