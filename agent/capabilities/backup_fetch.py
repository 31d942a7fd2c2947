"""``backup.fetch``: bring a backup set back to this host, beside what is there."""

from __future__ import annotations

from agent.capabilities.backup_push import check
from agent.operations.step import Context, Step
from agent.operations.steps.backup_sets import Fetch

__all__ = ["check", "steps"]


def steps(_ctx: Context) -> list[Step]:
    """Return the one step."""
    return [Fetch()]
