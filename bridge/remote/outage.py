"""How long a lost host is asked again, and at which intervals. The one retry policy of the connection."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from bridge.remote.channel import Lost

FIRST_S: Final = 0.5
LONGEST_S: Final = 15.0
GIVE_UP_S: Final = 600.0

# A connection that stood this long was a good one: the next loss is a new outage.
_STABLE_S: Final = 30.0


class Outage:
    """Counts one stretch of failed attempts. Progress, or a connection that stood for a while, ends it.

    Args:
        give_up: seconds from the first failure until the host counts as away.
        clock: monotonic seconds; tests bring their own.
    """

    def __init__(self, give_up: float = GIVE_UP_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._give_up, self._clock = give_up, clock
        self._since: float | None = None
        self._contact: float | None = None
        self.failures = 0

    def attempt(self) -> None:
        """An attempt to reach the host begins."""
        self._contact = None

    def contact(self) -> None:
        """The host answered."""
        self._contact = self._clock()

    def progress(self) -> None:
        """Something new arrived: whatever went wrong before is over."""
        self._since, self.failures = None, 0

    def failed(self) -> None:
        """The attempt ended without the answer."""
        now = self._clock()
        if self._contact is not None and now - self._contact >= _STABLE_S:
            self.progress()
        self._since = now if self._since is None else self._since
        self.failures += 1

    def over(self, state: RetryCallState | None = None) -> bool:
        """Say whether the host has been away for too long (the signature is tenacity's ``stop``)."""
        return self._since is not None and self._clock() - self._since >= self._give_up

    def pause(self, state: RetryCallState | None = None) -> float:
        """Return the seconds until the next attempt: 0.5, 1, 2, 4 … 15, with jitter (tenacity's ``wait``)."""
        step: float = min(LONGEST_S, FIRST_S * 2 ** min(self.failures - 1, 10))
        return step * random.uniform(0.8, 1.2)  # noqa: S311 (spreads clients, hides nothing)

    def retrying(self) -> Retrying:
        """Return the policy: try again after ``Lost`` until the outage has lasted too long; then raise ``Lost``."""
        return Retrying(retry=retry_if_exception_type(Lost), stop=self.over, wait=self.pause, reraise=True)
