"""``policy.get``: when a target may be deployed to, whether it is frozen, who has agreed to what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agent.capabilities.call import Call
from agent.host import policies
from agent.model import windows


def run(call: Call) -> dict[str, Any]:
    """Return ``open`` (now, by windows and freeze), the rules, the freeze and the approvals that are good."""
    target = call.the_target
    rules, state = policies.rules(call.paths, target), policies.state(call.paths, target)
    wall = rules.wall(datetime.now(UTC))
    reasons = policies.problems(call.paths, target, "", "", "")
    opens = windows.next_open(rules.parsed(), wall) if rules.windows else None
    return {
        "app": target.app,
        "environment": target.environment,
        "open": not [one for one in reasons if one.id != "policy.approval"],
        "zone": rules.zone,
        "windows": list(rules.windows),
        "next": opens.isoformat() if opens and not windows.is_open(rules.parsed(), wall) else None,
        "approval": rules.approval,
        "freeze": state.freeze or None,
        "approvals": state.approvals,
    }
