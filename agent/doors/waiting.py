"""Operations for doors with many callers: waiting for an end without holding a thread, and what a poll is told."""

from __future__ import annotations

import time
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync

from agent.doors.starter import RemoteService
from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.operations.journal import Journal, Operation
from agent.protocol import TERMINAL

_LOOK: Final = 0.05
_SAFETY: Final = 2.0
"""Seconds after which the journal is asked although nothing woke us, and a dead worker is looked for."""


def find(paths: Paths, operation: str) -> Operation:
    """Return an operation of the journal. Raises ``Misuse("wire.unknown_operation")``."""
    if paths.journal.exists():
        with Journal(paths) as journal:
            found = journal.find(operation)
        if found is not None:
            return found
    raise Misuse("wire.unknown_operation", operation=operation)


async def ended(service: RemoteService, operation: str, patience: float, after: int | None = None) -> Operation:
    """Wait until the operation has ended, or has an event behind ``after``, at most ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while True:
        seen = _tick(service.paths)
        found = await run_sync(find, service.paths, operation)
        if found.status in TERMINAL or time.monotonic() >= deadline:
            return found
        if after is not None and await run_sync(_has_news, service.paths, operation, after):
            return found
        if await _quiet(service.paths, seen, deadline):
            await run_sync(service.recover)


async def _quiet(paths: Paths, seen: int, deadline: float) -> bool:
    """Sleep until the journal moves; say whether it did not for a while."""
    until = min(deadline, time.monotonic() + _SAFETY)
    while time.monotonic() < until:
        await anyio.sleep(_LOOK)
        if _tick(paths) != seen:
            return False
    return True


def _tick(paths: Paths) -> int:
    try:
        return paths.tick.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def told(paths: Paths, found: Operation, after: int) -> dict[str, Any]:
    """Return what a poll is answered: the operation, the events behind ``after``, and its result once it has ended."""
    events = _events(paths, found.id, after, 500)
    answer: dict[str, Any] = {
        "operation": {
            "id": found.id,
            "capability": found.capability,
            "app": found.target.app,
            "environment": found.target.environment,
            "status": found.status,
            "created": found.created,
            "started": found.started,
            "ended": found.ended,
        },
        "events": events,
        "after": events[-1]["seq"] if events else after,
    }
    return answer | ({"result": found.result} if found.result is not None else {})


def _has_news(paths: Paths, operation: str, after: int) -> bool:
    return bool(_events(paths, operation, after, 1))


def _events(paths: Paths, operation: str, after: int, limit: int) -> list[dict[str, Any]]:
    with Journal(paths) as journal:
        return [event.to_json() for event in journal.events(operation, after, limit)]
