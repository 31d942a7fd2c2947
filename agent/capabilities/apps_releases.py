"""``apps.releases``: what can be gone back to."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.releases import records
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return the recorded releases, the latest first, and which one serves."""
    site = Site.of(call, call.the_target)
    current = records.current(site)
    shown = ("release", "status", "deployed", "operation", "provenance", "migrations")
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "current": current.release if current else None,
        "releases": [{key: item.get(key) for key in shown} for item in records.all_records(site)],
    }
