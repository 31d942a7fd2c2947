"""What the agent's own files may take: the history, the journal and the log are kept for a time, then taken away.

Never a fault: what cannot be tidied now is tidied later, and nothing waits for it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from agent.host import audit, history, log
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.operations.journal import Journal

EVERY: Final = 3600.0
"""Seconds between two rounds: the supervised unit asks every few seconds."""

KEPT: Final = 50
"""Operations of each target that stay in the journal however old they are."""

_MB: Final = 1024 * 1024


def tidy(paths: Paths, settings: Settings, every: float = EVERY) -> None:
    """Put away and take away what is over the host's limits, at most once in ``every`` seconds."""
    marker = paths.state / "tidied"
    try:
        if marker.exists() and time.time() - marker.stat().st_mtime < every:
            return
        marker.touch()
        audit.rotate(paths, settings.audit_mb)
        history.compress(paths)
        history.retire(paths, settings.audit_days)
        _log(paths, settings.log_mb)
        _journal(paths, settings.journal_days)
    except Exception as error:
        log.record(paths, error)


def _log(paths: Paths, megabytes: int) -> None:
    """Keep one older file of the agent's log."""
    file = paths.log / "agent.log"
    if file.exists() and file.stat().st_size > megabytes * _MB:
        file.replace(paths.log / "agent.log.1")


def _journal(paths: Paths, days: int) -> None:
    if not paths.journal.exists():
        return
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with Journal(paths) as journal:
        journal.forget(before, KEPT)
