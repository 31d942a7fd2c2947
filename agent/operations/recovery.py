"""Operations whose process is gone: taken forward when they had committed, else taken back, and ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from agent.host import log
from agent.host import settings as host_settings
from agent.host.clock import now, since
from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.secret import Redactor
from agent.operations import verb
from agent.operations.context import context, finish
from agent.operations.detach import detach
from agent.operations.engine import Ending, Engine
from agent.operations.journal import Journal, Operation
from agent.operations.lock import Holder, OperationLock, TargetLock, is_alive
from agent.operations.record import Record
from agent.protocol import TERMINAL

GIVE_UP: Final = 600.0
"""Seconds after which a recovery that cannot take everything back ends the operation all the same."""

_PATIENCE: Final = 60.0
_POLL: Final = 0.05


def stranded(paths: Paths, journal: Journal, slug: str | None = None) -> list[Operation]:
    """Return the operations that have not ended and that no process works on."""
    dead = [operation for operation in journal.unfinished(slug) if not is_alive(paths, operation.id)]
    return [again for one in dead if (again := journal.find(one.id)) and again.status not in TERMINAL]


def is_needed(paths: Paths) -> bool:
    """Say whether anything is stranded. Changes nothing."""
    if not paths.journal.exists():
        return False
    with Journal(paths) as journal:
        return bool(stranded(paths, journal))


def ensure(paths: Paths, verbs: verb.Verbs, target: Target | None = None, wait: float = _PATIENCE) -> None:
    """Start the recovery of what is stranded; wait for that of ``target``, at most ``wait`` seconds.

    The recovery runs detached: it does not depend on the call that noticed. No journal may be open.
    """
    mine = [operation.id for operation in _begin(paths, verbs) if operation.target == target]
    if mine:
        _await_end(paths, mine, wait)


def ensure_all(paths: Paths, verbs: verb.Verbs, wait: float = _PATIENCE) -> None:
    """Start the recovery of what is stranded, all targets at the same time, and wait for it; see ``ensure``."""
    if found := _begin(paths, verbs):
        _await_end(paths, [operation.id for operation in found], wait)


def _begin(paths: Paths, verbs: verb.Verbs) -> list[Operation]:
    """Detach a recovery for each target that needs one; return the stranded operations."""
    if not paths.journal.exists():
        return []
    with Journal(paths) as journal:
        found = stranded(paths, journal)
    for slug in sorted({operation.target.slug for operation in found}):
        detach(partial(recover, paths, Target.from_slug(slug), verbs))
    return found


def recover(paths: Paths, target: Target, verbs: verb.Verbs) -> None:
    """Recover the target's stranded operations, here and now, unless somebody works on the target already."""
    try:
        with Journal(paths) as journal:
            for operation in stranded(paths, journal, target.slug):
                if operation.status == "PENDING":
                    _drop(paths, journal, operation, verbs)
            left = stranded(paths, journal, target.slug)
            lock = TargetLock(paths, target)
            if left and lock.take(Holder(left[0].id, left[0].capability, client=left[0].client)):
                try:
                    settle_target(paths, journal, target, verbs, lock)
                finally:
                    lock.release()
    except Exception as error:  # the next call or the supervised unit tries again
        log.record(paths, error)


def settle_target(
    paths: Paths, journal: Journal, target: Target, verbs: verb.Verbs, lock: TargetLock | None = None
) -> None:
    """End what died while it worked on the target, whose lock the caller holds.

    Args:
        lock: freed as the end is committed, if the caller has nothing else to do with it.

    Raises:
        IkomaError: ``operation.unsettled`` when something could not be taken back yet.
    """
    for operation in journal.unfinished(target.slug):
        if operation.status == "RUNNING":
            _owning(paths, journal, operation, lambda found: _settle(paths, journal, found, verbs, lock), wait=10.0)


def _owning(
    paths: Paths, journal: Journal, operation: Operation, act: Callable[[Operation], None], wait: float
) -> None:
    """Call ``act`` while we hold the operation's own lock, if the operation is still as it was."""
    own = OperationLock(paths, operation.id)
    if not own.acquire(wait):
        raise IkomaError("operation.unsettled", operation=operation.id)
    own.sign()
    try:
        found = journal.find(operation.id)
        if found is not None and found.status == operation.status:
            act(found)
    finally:
        own.path.unlink(missing_ok=True)
        own.release()


def _drop(paths: Paths, journal: Journal, operation: Operation, verbs: verb.Verbs) -> None:
    """End an operation that never began."""

    def end(found: Operation) -> None:
        engine = _engine(paths, journal, found, verbs)
        ending = engine.refuse(IkomaError("operation.never_started"), "INTERRUPTED")
        finish(paths, journal, found, ending, None)

    _owning(paths, journal, operation, end, wait=0.0)


def _settle(paths: Paths, journal: Journal, operation: Operation, verbs: verb.Verbs, lock: TargetLock | None) -> None:
    ending = _recovered(_engine(paths, journal, operation, verbs), verbs)
    if not ending.clean and not _given_up(journal, operation.id):
        raise IkomaError("operation.unsettled", operation=operation.id)
    finish(paths, journal, operation, ending, lock)


def _recovered(engine: Engine, verbs: verb.Verbs) -> Ending:
    try:
        engine.ctx.settings = host_settings.load(engine.ctx.paths)
        return engine.recover(verb.steps(verbs[engine.operation.capability], engine.ctx))
    except Exception as error:
        refused = engine.refuse(engine.known(error), "INTERRUPTED")
        return Ending(refused.status, refused.result, clean=False)


def _engine(paths: Paths, journal: Journal, operation: Operation, verbs: verb.Verbs) -> Engine:
    redactor = Redactor()
    record = Record(journal, operation.id, redactor)
    known = verbs.get(operation.capability)
    ctx = context(operation, paths, host_settings.Settings(), record, redactor, recovering=True)
    return Engine(operation, ctx, record, known.ends if known else "DONE")


def _given_up(journal: Journal, operation: str) -> bool:
    """Say whether recovery has been tried for long enough."""
    first = journal.notes(operation, "recovery").get("since")
    if first is None:
        journal.note(operation, "recovery", {"since": now()})
        return False
    return since(first) >= GIVE_UP


def _await_end(paths: Paths, operations: list[str], wait: float) -> None:
    deadline = time.monotonic() + wait
    with Journal(paths) as journal:
        while time.monotonic() < deadline:
            found = [journal.find(operation) for operation in operations]
            if all(one is None or one.status in TERMINAL for one in found):
                return
            time.sleep(_POLL)
