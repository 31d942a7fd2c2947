"""How much of the host's disk a throw-away cluster may take: looked at while it lives, and stopped once it is too much.

One file's size is bounded by the kernel; how many files there are, by nobody but us.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from agent.host import platform
from agent.model.errors import IkomaError

MOST_MB: Final = 20 * 1024
"""What a cluster may take where nobody says how much."""

OWN_MB: Final = 256
"""What a cluster takes by itself at most, its log included: a small bound is one on what is put into it."""

RESERVE_MB: Final = 128
"""Free disk of the host that no cluster gets, whatever it may take: what else writes there goes on."""

_LOOKS: Final = 0.1
_MEASURES: Final = 0.4
_SHARE: Final = 15
"""How many times as long as a measurement took is waited until the next: of many files, too, it takes a small part."""

_JOINED_WITHIN: Final = 15.0
_CANCELLED: Final = "operation.cancelled"


def holding(size: int) -> int:
    """Return what a cluster may take, in MiB, into which a database of ``size`` bytes is to be restored. Pure.

    Restored it is rather smaller; but indexes are sorted on the disk, and the server's log is written as well.
    """
    return size * 2 // (1024 * 1024) + 2048 + OWN_MB


@contextmanager
def kept(folder: Path, most_mb: int, stop: Callable[[], None]) -> Iterator[None]:
    """Look at what lies in ``folder`` for as long as the block runs; ``stop`` its cluster once it is too much.

    Args:
        most_mb: what may lie there, in MiB.
        stop: ends the cluster at once. Called by a thread of its own, and again for as long as the block runs.

    Raises:
        IkomaError: ``proof.over_disk`` or ``proof.disk_low`` instead of what the block fails of when its cluster was
            stopped; a block that had ended by then is none the worse.
    """
    watch = _Watch(folder, most_mb, stop)
    watch.start()
    try:
        yield
    except Exception as error:
        if watch.verdict is None or getattr(error, "id", "") == _CANCELLED:
            raise
        raise watch.verdict from None
    finally:
        watch.end()


class _Watch:
    """Looks at a folder; knows why its cluster was stopped."""

    def __init__(self, folder: Path, most_mb: int, stop: Callable[[], None]) -> None:
        self.verdict: IkomaError | None = None
        self._folder, self._most, self._stop = folder, most_mb, stop
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="room", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(_JOINED_WITHIN)

    def _look(self) -> None:
        due = 0.0
        while not self._ended.wait(_LOOKS):
            began = time.monotonic()
            with suppress(OSError):  # the folder is gone, and its cluster with it
                self.verdict = self.verdict or self._little_left() or (self._too_much() if began >= due else None)
            if began >= due:
                due = time.monotonic() + max(_MEASURES, _SHARE * (time.monotonic() - began))
            if self.verdict:
                with suppress(IkomaError, OSError):  # tried again: an Engine may be slow
                    self._stop()

    def _little_left(self) -> IkomaError | None:
        free = platform.free_mb(self._folder)
        if free >= RESERVE_MB:
            return None
        return IkomaError("proof.disk_low", folder=self._folder.parent, free=free, reserve=RESERVE_MB,
                          used=platform.size_mb(self._folder))  # fmt: skip

    def _too_much(self) -> IkomaError | None:
        used = platform.size_mb(self._folder)
        return IkomaError("proof.over_disk", used=used, most=self._most) if used > self._most else None
