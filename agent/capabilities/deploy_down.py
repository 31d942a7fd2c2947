"""``deploy.down``: stop an app. Containers, volumes, networks and records stay; ``deploy.up`` starts it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.deploy_up import check

if TYPE_CHECKING:
    from agent.operations.step import Context, Step

__all__ = ["check", "steps"]


def steps(_ctx: Context) -> list[Step]:
    """Return the one step."""
    from agent.operations.steps.stop import Stop

    return [Stop()]
