"""``deploy.restart``: fresh containers of the release that serves, beside the old ones where that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities import deploy_up
from agent.capabilities.call import Call
from agent.model.errors import Misuse

if TYPE_CHECKING:
    from agent.operations.step import Context, Step


def check(call: Call) -> None:
    """Refuse when nothing was ever deployed, or when the release has no such service."""
    from agent.releases import records
    from agent.releases.site import Site

    deploy_up.check(call)
    site, service = Site.of(call, call.the_target), call.args.get("service")
    current = records.current(site)
    record = records.record(site, current.release) if current else None
    if service is not None and service not in (record or {}).get("services", {}):
        raise Misuse("release.service_unknown", slug=site.slug, service=str(service)[:80])


def steps(ctx: Context) -> list[Step]:
    """Return the steps of a roll-out in which the named services (by default all) count as changed."""
    ctx.args["fresh"] = [ctx.args["service"]] if ctx.args.get("service") else ["*"]
    return deploy_up.rolled_out_again(ctx)
