"""``db.adopt``: take the ledger of the Supabase CLI or dbmate over, and keep it in step from then on."""

from __future__ import annotations

from agent.operations.step import Context, Step
from agent.operations.steps.adopt import Adopt
from agent.operations.steps.collect import Collect


def steps(_ctx: Context) -> list[Step]:
    """Return the steps."""
    return [Collect(), Adopt()]
