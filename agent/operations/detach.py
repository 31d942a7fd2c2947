"""Leaving the session that started us: a worker does not care whether anyone listens."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

_NAME: Final = "ikoma-worker"


def detach(work: Callable[[], None], keep: Collection[int] = ()) -> None:
    """Run ``work`` in a process of its own session, without our terminal, streams or descriptors (but ``keep``).

    Returns as soon as the process exists. It is a fork without exec: what only memory may hold (credentials) gets
    there without passing through any file, argument or environment. Close database connections before the call.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            _settle(keep)
            work()
    finally:
        os._exit(0)


def _settle(keep: Collection[int]) -> None:
    for ignored in (signal.SIGHUP, signal.SIGUSR1):  # the second asks a worker to cancel: a recovery is not stopped
        signal.signal(ignored, signal.SIG_IGN)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    _close_all_but({0, 1, 2, *keep})
    Path("/proc/self/comm").write_text(_NAME)


def _close_all_but(keep: set[int]) -> None:
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:  # the one that listdir itself had open
                continue
