"""Following an operation: what the journal holds, then each event as it comes, until its end or nobody listens."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import select
import time
from collections.abc import Callable
from typing import Final

from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.operations.journal import Journal
from agent.operations.lock import OperationLock, is_alive
from agent.protocol import TERMINAL, Event

_SAFETY: Final = 1.0
"""Seconds after which we look again without having been woken, and look whether the worker lives."""

_ORPHANED: Final = "orphaned"
_LONGEST_PAUSE: Final = 5.0
_BLIND: Final = 0.05
_IN_CLOEXEC: Final = 0o2000000
_IN_NONBLOCK: Final = 0o4000
_IN_ATTRIB: Final = 0x4
_IN_MODIFY: Final = 0x2


def follow(
    paths: Paths,
    operation: str,
    after: int,
    show: Callable[[Event], None],
    *,
    client: int | None = None,
    orphaned: Callable[[], None] = lambda: None,
) -> str | None:
    """Show every event behind ``after`` once, in order.

    Args:
        client: descriptor of the one who listens; when its other end is gone we stop.
        orphaned: called (with no journal open) when the operation goes on without a living process.

    Returns:
        The terminal status, or None when the client is gone.

    Raises:
        Misuse: ``wire.unknown_operation``.
    """
    follower = _Follower(paths, operation, after, show)
    bell = Bell(paths, client)
    try:
        for attempt in itertools.count():
            status = follower.until_orphaned(bell)
            if status != _ORPHANED:
                return status
            orphaned()
            time.sleep(min(0.05 * 2**attempt, _LONGEST_PAUSE))  # a recovery that cannot succeed yet is not hurried
    finally:
        bell.close()
    raise AssertionError("unreachable")


class _Follower:
    """What has been shown so far."""

    def __init__(self, paths: Paths, operation: str, after: int, show: Callable[[Event], None]) -> None:
        self.paths, self.operation, self.after, self.show = paths, operation, after, show

    def until_orphaned(self, bell: Bell) -> str | None:
        """Show events until the end, until the client is gone, or until no process is left to make more."""
        with Journal(self.paths) as journal:
            while (status := self._drain(journal)) is None:
                bell.guard(OperationLock(self.paths, self.operation).signed_by)
                woken, gone = bell.wait()
                if gone:
                    return None
                if not woken and self._is_orphaned(journal):
                    return _ORPHANED
        return status

    def _drain(self, journal: Journal) -> str | None:
        """Show what there is; return the terminal status once everything was shown."""
        found = journal.find(self.operation)
        if found is None:
            raise Misuse("wire.unknown_operation", operation=self.operation)
        while events := journal.events(self.operation, self.after):
            for event in events:
                self.show(event)
                self.after = event.seq
                if event.kind == "end":
                    return str(event.data["status"])
        return found.status if found.status in TERMINAL else None

    def _is_orphaned(self, journal: Journal) -> bool:
        if is_alive(self.paths, self.operation):
            return False
        found = journal.find(self.operation)
        return found is not None and found.status not in TERMINAL


class Bell:
    """Wakes at each commit to the journal (inotify on the tick file), when the worker dies, when the client is gone."""

    def __init__(self, paths: Paths, client: int | None = None) -> None:
        paths.tick.touch()
        self._inotify = _watch(os.fsencode(paths.tick))
        self._poll = select.poll()
        if self._inotify is not None:
            self._poll.register(self._inotify, select.POLLIN)
        if client is not None:
            self._poll.register(client, 0)
        self._client, self._worker = client, -1

    def guard(self, worker: Callable[[], int | None]) -> None:
        """Wake as well when the process that works on the operation is gone, as soon as it is known."""
        if self._worker < 0 and (pid := worker()) is not None:
            with contextlib.suppress(OSError):  # it is gone already: the safety interval finds that out
                self._worker = os.pidfd_open(pid)
                self._poll.register(self._worker, select.POLLIN)

    def wait(self) -> tuple[bool, bool]:
        """Wait for the next commit, at most for the safety interval; return (woken, client is gone)."""
        timeout = _SAFETY if self._inotify is not None else _BLIND
        ready = dict(self._poll.poll(timeout * 1000))
        gone = self._client is not None and self._client in ready
        if self._worker in ready:
            self._poll.unregister(self._worker)
            os.close(self._worker)
            self._worker = -1
        if self._inotify is not None and self._inotify in ready:
            os.read(self._inotify, 65536)
            return True, gone
        return False, gone

    def close(self) -> None:
        for descriptor in (self._inotify, self._worker):
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)


def _watch(path: bytes) -> int | None:
    """Return an inotify descriptor that watches ``path``, or None where the kernel has no more to give."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = int(libc.inotify_init1(_IN_CLOEXEC | _IN_NONBLOCK))
    if fd < 0:
        return None
    if libc.inotify_add_watch(fd, path, _IN_ATTRIB | _IN_MODIFY) < 0:
        os.close(fd)
        return None
    return fd
