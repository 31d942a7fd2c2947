"""How many requests one caller may make: a bucket of tokens for each, refilled by time. Pure but for the clock."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST: Final = 10_000
"""Callers that are remembered; the one that was silent for longest is forgotten first."""


class Limiter:
    """Allows ``burst`` requests at once and ``rate`` a second after that, for each caller on its own."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._clock()
        tokens = self._tokens(caller, now)
        if tokens < 1:
            return (1 - tokens) / self.rate
        self._buckets[caller] = (tokens - 1, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return 0.0

    def _tokens(self, caller: str, now: float) -> float:
        left, since = self._buckets.get(caller, (self.burst, now))
        return min(self.burst, left + (now - since) * self.rate)
