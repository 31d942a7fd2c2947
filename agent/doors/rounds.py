"""What is due by the clock: backup sets leave the host, the newest backup is tried. Begun here, done by operations."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from agent.database.backup import notes, store
from agent.database.backup.store import Backup
from agent.doors.local import Local
from agent.host import settings as host_settings
from agent.host.files import read_json
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.names import Target, new_operation
from agent.operations.journal import Journal

AGAIN_HOURS: Final = 1.0
"""After an attempt that failed."""

_SETTLED_HOURS: Final = 1.0
_DAY: Final = 24.0


def begin(at: Local) -> list[str]:
    """Start what is due, at most one thing for each target; return what, as ``slug capability``.

    A target that is worked on is left for the next round.
    """
    if not at.paths.journal.exists():
        return []
    settings = host_settings.load(at.paths)
    begun = []
    for folder in sorted(at.paths.apps.glob("*/current.json")):
        if (target := Target.of_folder(folder.parent.name)) is None:
            continue
        for capability, args in _due(at, target, settings):
            if not _busy(at, target):
                _start(at, target, capability, args)
                begun.append(f"{target.slug} {capability}")
                break
    return begun


def _busy(at: Local, target: Target) -> bool:
    with Journal(at.paths) as journal:
        return bool(journal.unfinished(target.slug))


def _start(at: Local, target: Target, capability: str, args: dict[str, Any]) -> None:
    body, operation = at.body(target.app, target.environment, args), new_operation()
    service = at.service
    attempt = "tried" if capability == "backup.push" else "verifying"
    notes.note(at.paths, target.slug, **{attempt: notes.now()})  # whatever becomes of it, not again in ten seconds
    try:
        service.change(service.capability(capability, operation), operation, body, io.BytesIO())
    except IkomaError as error:
        service.audit(capability, "error", body, operation, error)


def _due(at: Local, target: Target, settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    noted = notes.noted(at.paths, target.slug)
    if settings.backup_repository and push_due(noted, settings.backup_every_hours):
        yield "backup.push", {}
    current = read_json(at.paths.target(target).current, default={}).get("release", "")
    manifest = read_json(at.paths.target(target).release(current) / "release.json", default={}) if current else {}
    if manifest.get("backups", {}).get("verify", "daily") == "daily":
        name = verify_due(store.all_of(at.paths.backups / target.slug), noted.get("verifying"))
        if name:
            yield "db.verify_backup", {"backupName": name}


def push_due(noted: Mapping[str, Any], every: int, now: datetime | None = None) -> bool:
    """Whether a set should leave now: the last one is old enough, and the last attempt not too fresh. Pure."""
    if not every or ("tried" in noted and notes.age_hours(str(noted["tried"]), now) < AGAIN_HOURS):
        return False
    return "pushed" not in noted or notes.age_hours(str(noted["pushed"]), now) >= every


def verify_due(found: list[Backup], attempt: str | None = None, now: datetime | None = None) -> str:
    """Return the backup to try: the newest whole one, an hour old, if none was tried for a day; "" for none. Pure.

    ``attempt`` is when one was last begun: where nothing can be said (no programs, no disk), not again before a day.
    """
    moment = now or datetime.now(UTC)
    tried = [item.verified["at"] for item in found if item.verified] + ([attempt] if attempt else [])
    if any(notes.age_hours(str(at), moment) < _DAY for at in tried):
        return ""
    ready = [item for item in found if not item.tables and not item.verified]
    return ready[0].name if ready and notes.age_hours(ready[0].created, moment) >= _SETTLED_HOURS else ""
