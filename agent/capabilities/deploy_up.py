"""``deploy.up``: everything of the release that serves runs again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.call import Call
from agent.model.errors import Misuse

if TYPE_CHECKING:
    from agent.operations.step import Context, Step


def check(call: Call) -> None:
    """Refuse when nothing was ever deployed."""
    from agent.releases import records
    from agent.releases.site import Site

    if records.current(Site.of(call, call.the_target)) is None:
        raise Misuse("release.none", slug=call.the_target.slug)


def steps(ctx: Context) -> list[Step]:
    """Return the steps: start what is there, make what is missing, through the same gate."""
    from agent.operations.steps.start import Start

    return [Start(), *rolled_out_again(ctx)]


def rolled_out_again(ctx: Context) -> list[Step]:
    """Return the steps that roll the serving release out once more, from its record."""
    from agent.operations.steps.commit import Commit
    from agent.operations.steps.health import Health
    from agent.operations.steps.pull import Pull
    from agent.operations.steps.retire import Retire
    from agent.operations.steps.roll_out import RollOut
    from agent.releases import records
    from agent.releases.site import Site

    current = records.current(Site.of(ctx, ctx.target))
    ctx.args["release"] = ctx.notes(RollOut.name).get("release") or (current.release if current else None)
    return [Pull(), RollOut(), Health(), Commit(), Retire()]
