"""Ending an operation that hangs: its worker is asked, then killed, then what it left is taken back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.operations.journal import Journal, Operation
from agent.operations.lock import OperationLock, is_alive
from agent.protocol import TERMINAL

ASK: Final = signal.SIGUSR1
"""What asks a worker. Not SIGTERM: a host that shuts down says that to everybody, and restarts into a recovery."""

PATIENCE: Final = 20.0
"""Seconds without a word from an operation after which its worker is killed."""

LONGEST: Final = 80.0
_POLL: Final = 0.05


def heed() -> None:
    """Let this process, a worker, end its operation when it is asked; once, for what follows takes things back.

    Raises:
        IkomaError: ``operation.cancelled``, wherever the worker is at that moment.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(ASK, signal.SIG_IGN)
        raise IkomaError("operation.cancelled")

    signal.signal(ASK, stop)


def cancel(paths: Paths, operation: str, recover: Callable[[], None], patience: float = PATIENCE) -> Operation:
    """End ``operation`` and return it as it is afterwards. One that has ended stays as it is.

    Args:
        recover: takes back what a worker left that had to be killed.
        patience: seconds without a new event after which the worker is killed.
    """
    worker = _worker(paths, operation)
    if worker is not None:
        try:
            if not _ends_by_itself(paths, operation, worker, patience):
                signal.pidfd_send_signal(worker, signal.SIGKILL)
                _wait(lambda: is_alive(paths, operation), 5.0)
        finally:
            os.close(worker)
    if find(paths, operation).status not in TERMINAL:
        recover()
    return find(paths, operation)


def find(paths: Paths, operation: str) -> Operation:
    """Return the operation. Raises ``IkomaError("wire.unknown_operation")``."""
    with Journal(paths) as journal:
        found = journal.find(operation)
    if found is None:
        raise IkomaError("wire.unknown_operation", operation=operation)
    return found


def _worker(paths: Paths, operation: str) -> int | None:
    """Return a handle on the process that works on the operation; None when there is none."""
    pid = OperationLock(paths, operation).signed_by()
    if pid is None or not is_alive(paths, operation):
        return None
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return None
    # The handle keeps the number from being another's; only now it is sure that it was the worker's.
    if is_alive(paths, operation) and OperationLock(paths, operation).signed_by() == pid and _is_ours(pid):
        return handle
    os.close(handle)
    return None


def _is_ours(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}").stat().st_uid == os.geteuid()
    except OSError:
        return False


def _ends_by_itself(paths: Paths, operation: str, worker: int, patience: float) -> bool:
    """Ask the worker, and wait for as long as it shows that it heard."""
    signal.pidfd_send_signal(worker, ASK)
    began = heard = time.monotonic()
    last = 0
    while time.monotonic() - heard < patience and time.monotonic() - began < LONGEST:
        with Journal(paths) as journal:
            found = journal.find(operation)
            events = journal.events(operation, last)
        if found is None or found.status in TERMINAL:
            return True
        if not is_alive(paths, operation):
            return True
        if events:
            last, heard = events[-1].seq, time.monotonic()
        time.sleep(_POLL)
    return False


def _wait(while_true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while while_true() and time.monotonic() < deadline:
        time.sleep(_POLL)
