"""``backup.list``: which sets of an app are off this host."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.database.backup import notes, sets
from agent.host import restic


def run(call: Call) -> dict[str, Any]:
    """Return ``sets``, the newest first. Raises what the repository says."""
    slug = call.the_target.slug
    found = sets.snapshots(restic.of(call.paths, call.settings), slug)
    known = notes.noted(call.paths, slug)
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "sets": found,
        "pushed": known.get("pushed"),
        "tried": known.get("tried"),
    }
