"""So many at a time on the whole host: slots are lock files, and a slot is free when its holder is gone, however."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.host.flock import Flock

_POLL: Final = 0.1
_PATIENCE: Final = 0.5
"""Seconds after which somebody waits, and does not merely stand in a door."""


@dataclass(frozen=True, slots=True)
class Slots:
    """``count`` slots of one name; every process of the host that uses the folder shares them.

    Who waits holds the lock of the queue's head while it looks for a free slot: so whoever has just freed one, and
    wants another, does not overtake it.
    """

    folder: Path
    name: str
    count: int

    @contextmanager
    def one(self, waits: Callable[[], None], given_up: Callable[[], bool]) -> Iterator[bool]:
        """Hold a slot for the block; yield False, without one, when it was given up before there was one.

        Args:
            waits: called once when it takes a while.
            given_up: asked again and again while waiting.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        slot = self._waited(waits, given_up)
        try:
            yield slot is not None
        finally:
            if slot:
                slot.release()

    def _waited(self, waits: Callable[[], None], given_up: Callable[[], bool]) -> Flock | None:
        head, began, told = Flock(self.folder / f"{self.name}-next.lock"), time.monotonic(), False
        try:
            while not given_up():
                if (head.held or head.acquire(_POLL)) and (slot := self._free()):
                    return slot
                if not told and time.monotonic() - began > _PATIENCE:
                    waits()
                    told = True
                if head.held:
                    time.sleep(_POLL)
            return None
        finally:
            head.release()

    def _free(self) -> Flock | None:
        """Take a slot if one is free."""
        for number in range(max(1, self.count)):
            slot = Flock(self.folder / f"{self.name}-{number}.lock")
            if slot.acquire():
                return slot
        return None
