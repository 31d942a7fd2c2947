"""``deploy.rollback``: an earlier release that was healthy here, by the same steps and through the same gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.model.names import RELEASE

if TYPE_CHECKING:
    from agent.operations.step import Context, Step


def check(call: Call) -> None:
    """Refuse when there is no release to go back to."""
    from agent.releases import records
    from agent.releases.site import Site

    wanted, site = call.args.get("to"), Site.of(call, call.the_target)
    current = records.current(site)
    if current is None:
        raise Misuse("release.none", slug=site.slug)
    if wanted is None and current.previous is None:
        raise Misuse("release.no_previous", slug=site.slug)
    wanted = str(wanted or current.previous)
    if not RELEASE.fullmatch(wanted) or records.record(site, wanted) is None:
        raise Misuse("release.unknown", release=wanted[:40], slug=site.slug)


def steps(ctx: Context) -> list[Step]:
    """Return the steps; the release is chosen once and noted, so that a recovery means the same one."""
    from agent.operations.steps.commit import Commit
    from agent.operations.steps.health import Health
    from agent.operations.steps.pull import Pull
    from agent.operations.steps.retire import Retire
    from agent.operations.steps.roll_out import RollOut
    from agent.operations.steps.schema import Schema
    from agent.releases import records
    from agent.releases.site import Site

    noted = ctx.notes(RollOut.name).get("release")
    current = records.current(Site.of(ctx, ctx.target))
    ctx.args["release"] = noted or ctx.args.get("to") or (current.previous if current else None)
    return [Schema(), Pull(), RollOut(), Health(), Commit(), Retire()]
