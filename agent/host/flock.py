"""A lock that lives and dies with its holder: the kernel frees it, whatever kills the process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

_POLL = 0.02


class Flock:
    """An advisory lock on a file. A forked child shares it; programs that are run do not inherit it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = -1

    @property
    def held(self) -> bool:
        return self.fd >= 0

    def acquire(self, wait: float | None = 0.0) -> bool:
        """Take the lock and return True; after ``wait`` seconds (None: never) give up and return False."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            taken = _lock(fd, wait)
        except BaseException:
            os.close(fd)
            raise
        if taken:
            self.fd = fd
        else:
            os.close(fd)
        return taken

    def release(self) -> None:
        """Free the lock. Also frees it for a child that shares it."""
        if self.held:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            self.forget()

    def forget(self) -> None:
        """Close our side without freeing the lock that a child goes on holding."""
        if self.held:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Flock:
        self.acquire(None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Say whether somebody holds the lock on ``path``. Takes nothing away from anybody, creates nothing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _lock(fd: int, wait: float | None) -> bool:
    if wait is None:
        fcntl.flock(fd, fcntl.LOCK_EX)
        return True
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        else:
            return True
