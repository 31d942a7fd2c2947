"""The process that owns an operation: waits for its turn, runs the steps, commits the end."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from agent.host import ballast, log
from agent.host import settings as host_settings
from agent.host.files import read_json
from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.model.secret import Redactor
from agent.operations import cancel, recovery, verb
from agent.operations.context import context, finish
from agent.operations.engine import Engine
from agent.operations.journal import Journal, Operation
from agent.operations.lock import HOUSEKEEPING, Holder, OperationLock, TargetLock, is_alive
from agent.operations.record import Record
from agent.protocol import Credentials

_POLL: Final = 0.05
BORN: Final = b"1"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an operation is given that must never be written down."""

    credentials: Credentials | None = None
    args: dict[str, Any] = field(default_factory=dict, repr=False)

    def redactor(self) -> Redactor:
        """Return a redactor that knows them."""
        known = Redactor([self.credentials.password] if self.credentials else [])
        known.add(*_texts(self.args))
        return known


def _texts(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value; the names of keys are no secrets."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def accepted(operation: Operation) -> dict[str, Any]:
    """Return the data of an operation's first event."""
    return {
        "capability": operation.capability,
        "app": operation.target.app,
        "environment": operation.target.environment,
        "key": operation.key,
        "client": operation.client,
    }


def work(
    paths: Paths, operation: Operation, secrets: Secrets, verbs: verb.Verbs, own: OperationLock, born: int
) -> None:
    """Write ``operation`` into the journal and run it to its end.

    Args:
        own: its lock, already held.
        born: where the starter reads ``BORN`` once the operation is durable, or else the error as JSON.
    """
    redactor = secrets.redactor()
    try:
        cancel.heed()
        own.sign()
        with Journal(paths) as journal:
            _bear(journal, operation, born)
            Worker(paths, journal, secrets, verbs, redactor).run(operation.id)
    except Exception as error:  # the operation stays RUNNING: recovery takes it from here
        log.record(paths, error, redactor)
    finally:
        own.path.unlink(missing_ok=True)
        own.release()


def _bear(journal: Journal, operation: Operation, born: int) -> None:
    said = b""
    try:
        journal.create(operation, accepted(operation))
        said = BORN
    except IkomaError as error:
        said = json.dumps(error.to_json()).encode()
        raise
    finally:
        with contextlib.suppress(BrokenPipeError):  # whoever started us is gone: so be it
            os.write(born, said)
        os.close(born)


class Worker:
    """One operation's process."""

    def __init__(self, paths: Paths, journal: Journal, secrets: Secrets, verbs: verb.Verbs, redactor: Redactor) -> None:
        self.paths, self.journal, self.secrets, self.verbs, self.redactor = paths, journal, secrets, verbs, redactor

    def run(self, operation_id: str) -> None:
        """Wait, perform, end."""
        operation = _known(self.journal, operation_id)
        record = Record(self.journal, operation.id, self.redactor)
        ctx = context(operation, self.paths, host_settings.Settings(), record, self.redactor, self.secrets.credentials)
        ctx.args |= self.secrets.args
        lock = TargetLock(self.paths, operation.target)
        engine = Engine(operation, ctx, record, self.verbs[operation.capability].ends)
        try:
            self._take_turn(operation, lock, record)
            ctx.settings = host_settings.load(self.paths)
            ballast.keep(self.paths, ctx.settings.reserve_mb)
            engine.operation = self._begin(operation)
            steps = verb.steps(self.verbs[operation.capability], ctx)
        except Exception as error:
            ending = engine.refuse(engine.known(error))
        else:
            ending = engine.perform(steps)
        finish(self.paths, self.journal, operation, ending, lock)

    def _begin(self, operation: Operation) -> Operation:
        previous = read_json(self.paths.target(operation.target).current, default={}).get("release")
        self.journal.begin(operation.id, previous)
        return _known(self.journal, operation.id)

    def _take_turn(self, operation: Operation, lock: TargetLock, record: Record) -> None:
        """Take the target's lock, in the order of arrival; say who holds it while we wait."""
        mine = Holder(operation.id, operation.capability, client=operation.client)
        announced = ""
        while (other := self._ahead(operation)) is not None or not lock.take(mine):
            holder = self._holder(operation, lock) or other
            if holder is not None and operation.on_busy == "refuse":
                raise IkomaError("operation.busy", target=operation.target, holder=holder.operation,
                                 since=holder.since, client=holder.who())  # fmt: skip
            if holder is not None and holder.operation != announced:
                record.emit("waiting", holder.event())
                announced = holder.operation
            time.sleep(_POLL)
        recovery.settle_target(self.paths, self.journal, operation.target, self.verbs)

    def _holder(self, operation: Operation, lock: TargetLock) -> Holder | None:
        """Return the operation that holds the target; None for a moment in which nobody does who counts."""
        if (written := lock.holder()) is not None:
            return written if written.operation != HOUSEKEEPING else None
        for one in self.journal.unfinished(operation.target.slug):
            if one.status == "RUNNING":
                return Holder(one.id, one.capability, one.started or one.created, one.client, 0)
        return None

    def _ahead(self, operation: Operation) -> Holder | None:
        """Return the living operation that has waited for the target longer than this one."""
        for other in self.journal.unfinished(operation.target.slug):
            if other.id == operation.id:
                return None
            if other.status == "PENDING" and is_alive(self.paths, other.id):
                return Holder(other.id, other.capability, other.created, other.client, 0)
        return None


def _known(journal: Journal, operation: str) -> Operation:
    found = journal.find(operation)
    if found is None:
        raise IkomaError("wire.unknown_operation", operation=operation)
    return found
