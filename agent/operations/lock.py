"""Who may work on a target: one operation at a time, and everybody can read who it is.

Two locks. The *target's* is held while an operation works on it. The *operation's own* is held by its process from
before it is journalled until after its end: as long as it is held, the operation is alive.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from agent.host.clock import now
from agent.host.flock import Flock, is_held
from agent.host.paths import Paths
from agent.model.names import Target

HOUSEKEEPING: Final = "-"
"""Stands for the operation where the supervised unit holds a target for a moment: one waits for it without a word."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a target's lock."""

    operation: str
    capability: str = ""
    since: str = field(default_factory=now)
    client: dict[str, str] = field(default_factory=dict)
    pid: int = field(default_factory=os.getpid)

    def event(self) -> dict[str, Any]:
        """Return the data of a ``waiting`` event."""
        return {"holder": self.operation, "capability": self.capability, "since": self.since, "client": self.client}

    def who(self) -> str:
        """Return the most telling thing the holder's client said of itself."""
        for name in ("run_url", "run", "actor", "user"):
            if value := self.client.get(name):
                return value
        return self.operation


class TargetLock(Flock):
    """The lock of one target; its file says who holds it."""

    def __init__(self, paths: Paths, target: Target) -> None:
        super().__init__(paths.locks / f"{target.slug}.lock")

    def take(self, holder: Holder) -> bool:
        """Take the lock if it is free, and write down who holds it."""
        if not self.acquire():
            return False
        _overwrite(self.fd, json.dumps(asdict(holder)).encode())
        return True

    def release(self) -> None:
        if self.held:
            _overwrite(self.fd, b"")
        super().release()

    def holder(self) -> Holder | None:
        """Return who holds the lock, None when nobody is written down."""
        try:
            return Holder(**json.loads(self.path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None


def _overwrite(fd: int, content: bytes) -> None:
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, content, 0)
    except OSError:  # a full disk: the lock counts, not what is written in it
        return


class OperationLock(Flock):
    """The lock that shows that an operation is alive; its file says which process works on it."""

    def __init__(self, paths: Paths, operation: str) -> None:
        super().__init__(paths.locks / f"op-{operation}.lock")

    def sign(self) -> None:
        """Write our process id down, so that followers are woken when we die."""
        _overwrite(self.fd, str(os.getpid()).encode())

    def signed_by(self) -> int | None:
        """Return the process that works on the operation, None when that is not known."""
        try:
            return int(self.path.read_bytes())
        except (OSError, ValueError):
            return None


def is_alive(paths: Paths, operation: str) -> bool:
    """Say whether a process works on the operation, or waits with it."""
    return is_held(OperationLock(paths, operation).path)
