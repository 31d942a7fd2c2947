"""``supabase.ensure``: the app's database is there and may be migrated, whoever made it; nothing is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.index import Capability

if TYPE_CHECKING:
    from agent.operations.step import Context, Step

CAPABILITY = Capability(
    "supabase.ensure",
    role="builder",
    changes=True,
    module=__name__,
    summary_en="Make sure that the app's database is there, answers and may be migrated; make it where the host may.",
    summary_fr="S'assurer que la base de l'application existe, répond et peut être migrée ; la créer si possible.",
    additive=True,
)


def steps(_ctx: Context) -> list[Step]:
    """Return the one step there is."""
    from agent.operations.steps.ensure import Ensure

    return [Ensure()]
