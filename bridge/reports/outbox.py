"""What is to be published, sent in the background: the work itself never waits for it and never fails because of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

Job = Callable[[], None]

_CLOSING_S: Final = 90.0


class Outbox:
    """Keeps the newest state of each face and sends it; a newer state replaces one that still waits.

    A face that could not be sent is sent once more when the box is closed. Jobs must be safe to repeat.

    Args:
        complain: is told, once a face, that it could not be sent and why.
        hopeless: says of a fault that sending it once more is of no use.
    """

    def __init__(
        self, complain: Callable[[str, BaseException], None], hopeless: Callable[[BaseException], bool]
    ) -> None:
        self._complain, self._hopeless = complain, hopeless
        self._waiting: dict[str, Job] = {}
        self._failed: dict[str, Job] = {}
        self._complained: set[str] = set()
        self.refused: set[str] = set()
        """Faces of which no newer state will be taken either."""
        self._sending = ""
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, face: str, job: Job) -> None:
        """Send ``job`` soon, as the newest state of ``face``. Returns at once."""
        with self._change:
            self._failed.pop(face, None)
            self._waiting.pop(face, None)
            self._waiting[face] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="reports", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def close(self, seconds: float = _CLOSING_S) -> list[str]:
        """Wait until all is sent, send once more what failed, and return the faces that were not sent.

        Args:
            seconds: how long to wait altogether.
        """
        deadline = time.monotonic() + seconds
        self._settle(deadline)
        with self._change:
            for face, job in list(self._failed.items()):
                self._waiting.setdefault(face, job)
            self._failed.clear()
            self._change.notify_all()
        self._settle(deadline)
        with self._change:
            return sorted({*self._failed, *self._waiting, self._sending} - {""})

    def _settle(self, deadline: float) -> None:
        with self._change:
            self._change.wait_for(lambda: not self._waiting and not self._sending, deadline - time.monotonic())

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._waiting))
                face = next(iter(self._waiting))
                job = self._waiting.pop(face)
                self._sending = face
            fault = _run(job)
            self._done(face, job, fault)

    def _done(self, face: str, job: Job, fault: BaseException | None) -> None:
        if fault is not None and face not in self._complained:
            self._complained.add(face)
            self._complain(face, fault)
        with self._change:
            self._sending = ""
            if fault is not None and self._hopeless(fault):
                self.refused.add(face)
            elif fault is not None and face not in self._waiting:
                self._failed[face] = job
            self._change.notify_all()


def _run(job: Job) -> BaseException | None:
    try:
        job()
    except Exception as fault:  # whatever it is, a report decides nothing
        return fault
    return None
