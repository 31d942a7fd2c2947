"""``policy.thaw``: lift a freeze."""

from __future__ import annotations

from typing import Any

from agent.capabilities import policy_get
from agent.capabilities.call import Call
from agent.host import policies


def run(call: Call) -> dict[str, Any]:
    """Return what ``policy.get`` returns."""
    policies.thaw(call.paths, call.the_target)
    return policy_get.run(call)
