"""Work begun early, in the background, for whoever needs its result first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Runs ``work`` in a thread at once. A thread that nobody waits for keeps no program from ending."""

    def __init__(self, work: Callable[[], T], name: str) -> None:
        self._work = work
        self._value: list[T] = []
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value.append(self._work())
        except BaseException as fault:  # carried over to whoever asks
            self._fault = fault

    @property
    def done(self) -> bool:
        """Whether there is a result or a fault already."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for the result. Raises what the work raised."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._value[0]
