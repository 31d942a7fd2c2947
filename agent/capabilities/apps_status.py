"""``apps.status``: what runs."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.releases import records, status
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return release, since when, each service, and ``dockerRunning``: whether every one of them runs."""
    site = Site.of(call, call.the_target)
    current, services = records.current(site), status.services(site)
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "release": current.release if current else None,
        "previous": current.previous if current else None,
        "status": status.told(current.status if current else None, services, records.down(site) is not None),
        "since": current.since if current else None,
        "built_here": records.built_here(site),
        "dockerRunning": status.healthy(services) in ("healthy", "starting"),
        "services": services,
    }
