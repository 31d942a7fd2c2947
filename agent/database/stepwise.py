"""Files with statements that PostgreSQL refuses inside a transaction: one part after the other, each recorded.

Statements that can share a transaction do, with the record of how far the file has come inside it. Of a statement that
stands alone it is recorded that it begins, so that whoever comes after a crash looks what it left.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from agent.database import alone, batch, frame, ledger, leftovers, syntax
from agent.database.connect import Connection
from agent.database.frame import Failed, Run, Script
from agent.database.ledger import Progress
from agent.database.statements import Statement
from agent.model.errors import IkomaError
from agent.model.migrations import version_of

_LIMITS: Final = "set lock_timeout = '{}ms'; set statement_timeout = '{}s'"


@dataclass(frozen=True, slots=True)
class Part:
    """Statements that are done together, and the number (from 0) of the first."""

    first: int
    statements: tuple[Statement, ...]
    alone: bool

    @property
    def end(self) -> int:
        return self.first + len(self.statements)


def parts(statements: Sequence[Statement], done: int = 0) -> Iterator[Part]:
    """Yield what is left of a file after ``done`` statements, in as few parts as can be. Pure."""
    rest = list(enumerate(statements))[done:]
    for single, group in itertools.groupby(rest, key=lambda item: item[1].alone):
        numbered = list(group)
        if single:
            yield from (Part(number, (statement,), True) for number, statement in numbered)
        else:
            yield Part(numbered[0][0], tuple(statement for _, statement in numbered), False)


def attempt(connection: Connection, run: Run, script: Script) -> None:
    """Bring one file to its end, from where it stands.

    Raises:
        Failed: a statement failed; what was recorded before it stands.
        IkomaError: ``migration.progress_edited`` when the part that is done is not the same any more.
    """
    started = time.monotonic()
    try:
        past = _past(connection, script)
        for part in parts(script.statements, past.done):
            batch.execute(connection, frame.fresh(connection, run))
            _replay(connection, script.statements[: part.first])
            (_one if part.alone else _together)(connection, run, script, part, past)
        _finish(connection, run, script, started)
    except psycopg.Error as error:
        raise Failed(script.last, error) from None
    except batch.Stopped as stopped:
        raise Failed(script.last, stopped.error) from None
    finally:
        frame.clean(connection, run)


def _past(connection: Connection, script: Script) -> Progress:
    """Return how far the file has come; a file that was changed where it is done would be applied by halves."""
    past = ledger.progress(connection, version_of(script.file))
    if past is None:
        return Progress(version_of(script.file), 0, "")
    if past.prefix != _prefix(script, past.done):
        raise IkomaError("migration.progress_edited", file=script.file, done=past.done)
    return past


def _prefix(script: Script, done: int) -> str:
    said = (statement.text.encode() + (statement.rows or b"") for statement in script.statements[:done])
    return hashlib.sha256(b"\0".join(said)).hexdigest()


def _replay(connection: Connection, before: Sequence[Statement]) -> None:
    """Set again what earlier statements of the file set for the session."""
    for statement in before:
        if statement.lasting:
            connection.execute(statement.text.encode())


def _together(connection: Connection, run: Run, script: Script, part: Part, past: Progress) -> None:
    batch.execute(connection, frame.begin(run))
    for statement in part.statements:
        frame.execute(connection, statement, part.first)
    frame.check_open(connection, script)
    frame.share_schemas(connection, run)
    noted = ledger.note(Progress(past.version, part.end, _prefix(script, part.end)))
    batch.execute(connection, [*frame.TAIL, noted, b"commit"])


def _one(connection: Connection, run: Run, script: Script, part: Part, past: Progress) -> None:
    (statement,) = part.statements
    again = past.running == part.first
    prefix = _prefix(script, part.first)
    left = leftovers.of(statement)
    if not (again and left.effect(connection, past.facts)):
        left.clear(connection, past.facts if again else left.facts(connection))
        facts = left.facts(connection)
        connection.execute(ledger.note(Progress(past.version, part.first, prefix, part.first, facts)))
        connection.execute(_limits(statement, run).encode())
        _run(connection, statement, part.first, left, facts)
    connection.execute(b"reset session authorization; reset role")
    connection.execute(ledger.note(Progress(past.version, part.end, _prefix(script, part.end))))


def _limits(statement: Statement, run: Run) -> str:
    """Return how long a statement may wait for a lock: what works concurrently waits long, and nobody behind it."""
    waits = run.limits.lock_ms if alone.stalls(syntax.parse(statement.text).stmts[0].stmt) else 0
    return _LIMITS.format(waits, run.limits.statement_seconds)


def _run(connection: Connection, statement: Statement, number: int, left: leftovers.Left, facts: list[int]) -> None:
    try:
        frame.execute(connection, statement, number)
    except Failed:
        if not connection.closed:
            connection.execute("reset session authorization; reset role")
            left.clear(connection, facts)
        raise


def _finish(connection: Connection, run: Run, script: Script, started: float) -> None:
    batch.execute(connection, frame.begin(run))
    frame.share_schemas(connection, run)
    done = frame.recorded(run, script, int((time.monotonic() - started) * 1000))
    batch.execute(connection, [*done, ledger.forget(version_of(script.file)), b"commit"])
