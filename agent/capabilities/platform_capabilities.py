"""``platform.capabilities``: everything this agent can do."""

from __future__ import annotations

from typing import Any

from agent import capabilities
from agent.capabilities.call import Call


def run(call: Call) -> dict[str, Any]:
    """Return every capability with the role it takes."""
    found = sorted(capabilities.CAPABILITIES.values(), key=lambda one: one.name)
    return {
        "capabilities": [
            {
                "name": one.name,
                "role": one.role,
                "changes": one.changes,
                "needs_target": one.needs_target,
                "summary": one.summary_fr if call.lang == "fr" else one.summary_en,
            }
            for one in found
        ]
    }
