"""``apps.adopt``: take over a compose project that runs under the app's name; its volumes and networks are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.call import Call
from agent.model.errors import Misuse

if TYPE_CHECKING:
    from agent.operations.step import Context, Step


def check(call: Call) -> None:
    """Refuse what is ours already, and a name under which nothing runs."""
    from agent.docker.engine import PROJECT
    from agent.releases import adoption, records
    from agent.releases.site import Site

    site = Site.of(call, call.the_target)
    if records.current(site) is not None:
        raise Misuse("adopt.ours", slug=site.slug)
    if not adoption.running(site):
        found = {str(item["Labels"].get(PROJECT)) for item in site.engine.all_containers() if PROJECT in item["Labels"]}
        raise Misuse("adopt.nothing", slug=site.slug, projects=", ".join(sorted(found)) or "–")


def steps(_ctx: Context) -> list[Step]:
    """Return the one step."""
    from agent.operations.steps.take_over import TakeOver

    return [TakeOver()]
