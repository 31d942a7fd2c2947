"""``backup.push``: database, roles, volumes and environment files, off this host and encrypted."""

from __future__ import annotations

from agent.capabilities.call import Call
from agent.host import restic
from agent.operations.step import Context, Step
from agent.operations.steps.backup_sets import Push


def check(call: Call) -> None:
    """Refuse where there is no place to send anything."""
    restic.of(call.paths, call.settings)


def steps(_ctx: Context) -> list[Step]:
    """Return the one step."""
    return [Push()]
