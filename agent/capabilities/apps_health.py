"""``apps.health``: one word for an app, and one for each of its services."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.releases import status
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return ``health`` (healthy, starting, unhealthy, stopped) and the state of each service."""
    services = status.services(Site.of(call, call.the_target))
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "health": status.healthy(services),
        "services": {name: service["state"] for name, service in services.items()},
    }
