"""``db.create``: make a target's database before its first deployment."""

from __future__ import annotations

from agent.operations.step import Context, Step
from agent.operations.steps.provision import Provision


def steps(_ctx: Context) -> list[Step]:
    """Return the one step there is."""
    return [Provision()]
