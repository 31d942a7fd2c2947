"""Builds of one app's images on one machine take turns.

Two that begin at the same time would build the same images twice, push two of one name, and meet in the builder's own
store, where one's layers were once found under the other's manifest.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def turn(what: str, on_wait: Callable[[], object]) -> Iterator[bool]:
    """Hold this user's lock of ``what``; yield whether somebody else had it first.

    Runners of one machine have homes of their own, so the lock lies in the machine's temporary folder. Where none can
    be had there, nobody waits.
    """
    descriptor = _opened(what)
    if descriptor is None:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            waited = False
        except BlockingIOError:
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            waited = True
        yield waited
    finally:
        os.close(descriptor)


def _opened(what: str) -> int | None:
    """Return the lock's file in a folder that is ours alone: anybody may make names in the temporary folder."""
    folder = Path(tempfile.gettempdir()) / f"ikoma-bridge-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return None
        name = f"build-{hashlib.sha256(what.encode()).hexdigest()[:16]}.lock"
        return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
