"""What saving a database before its migrations would take, for a plan. Reads only."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.database import target
from agent.database.backup import budget, facts, store
from agent.database.backup.budget import Estimate
from agent.database.backup.source import Place
from agent.database.connect import session
from agent.model import messages
from agent.model.release import Release


def of(place: Place, release: Release, lang: str) -> dict[str, Any]:
    """Return ``estimate`` (None without a database), ``lines`` for people and ``problems``.

    Raises:
        IkomaError: the faults of a connection.
    """
    dsn = target.dsn(place.paths.target(release.target))
    if dsn is None:
        return {"estimate": None, "lines": [], "problems": []}
    with session(dsn, "ikoma:deploy.plan") as connection:
        size = facts.size(connection)
    folder = place.paths.backups
    found = estimate(folder / release.target.slug, size, len(release.migrations))
    problems = budget.problems(found, release.backups, free(folder), folder, lang)
    line = messages.text("backup.estimate", found.said(release.backups), lang)
    return {"estimate": asdict(found), "lines": [line], "problems": problems}


def estimate(folder: Path, size: int, files: int) -> Estimate:
    """Return what a backup of a database of ``size`` bytes would take, given how the last one went."""
    done = [item for item in store.all_of(folder) if not item.tables]
    return budget.estimate(size, done[0] if done else None, files)


def free(folder: Path) -> int:
    """Return the bytes that are free where ``folder`` is or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
