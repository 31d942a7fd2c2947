"""Whether backups are younger than the host wants them. Standard library only: it is asked every few seconds."""

from __future__ import annotations

from typing import Final

from agent.database.backup import notes
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.names import Target

_TOO_OLD: Final = 1.5
"""Times the wanted interval."""

hours = notes.age_hours


def leaves_host(settings: Settings) -> bool:
    """Whether backup sets are to leave this host."""
    return bool(settings.backup_repository) and settings.backup_every_hours > 0


def overdue(paths: Paths, settings: Settings, slug: str) -> IkomaError | None:
    """Return what is to be told of a target's newest backup set: there is none, or it is too old.

    A host without a place for sets is not asked for any.
    """
    if not leaves_host(settings):
        return None
    pushed = notes.noted(paths, slug).get("pushed")
    if pushed is None:
        return IkomaError("backup.never", slug=slug).about(Target.from_slug(slug).options)
    found, every = notes.age_hours(pushed), settings.backup_every_hours
    stale = IkomaError("backup.stale", slug=slug, age=int(found), every=every).about(Target.from_slug(slug).options)
    return stale if found > _TOO_OLD * every else None
