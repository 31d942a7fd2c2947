"""Work in a process of its own, so that a second core helps: a forked copy that sends its result back and ends."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

ENOUGH: Final = 1000
"""Files from which on a second process saves more than it costs to start."""


def is_worth_it(files: int) -> bool:
    """Return whether a second process helps here: many files, a second core, and no thread that a copy would lack."""
    return files >= ENOUGH and _cores() > 1 and threading.active_count() == 1 and sys.platform == "linux"


def start(work: Callable[[], Result]) -> Callable[[], Result]:
    """Begin ``work`` in a copy of this process and return how to get its result.

    The result has to be picklable. Where no copy can be made, or it ends without a result, the work is done here: what
    it returns is the same, and so is what it raises.
    """
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return work
    if child == 0:
        os.close(reader)
        _deliver(work, writer)
    os.close(writer)
    return lambda: _collect(child, reader, work)


def _deliver(work: Callable[[], Any], writer: int) -> None:
    """Do the work in the copy and end it, without running anything that the original registered for its end."""
    code = 1
    try:
        with open(writer, "wb") as stream:
            pickle.dump(work(), stream, pickle.HIGHEST_PROTOCOL)
        code = 0
    finally:
        os._exit(code)


def _collect(child: int, reader: int, work: Callable[[], Result]) -> Result:
    with open(reader, "rb") as stream:
        data = stream.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        return work()
    result: Result = pickle.loads(data)  # noqa: S301 (written by our own copy, through a pipe nobody else has)
    return result


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
