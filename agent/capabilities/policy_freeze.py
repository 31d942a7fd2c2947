"""``policy.freeze``: let nothing be deployed for a while. A rollback still is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agent.capabilities import policy_get
from agent.capabilities.call import Call
from agent.host import policies
from agent.model.errors import Misuse


def run(call: Call) -> dict[str, Any]:
    """Return what ``policy.get`` returns. Args (of the call): ``reason``, and ``until`` (ISO 8601 with its zone)."""
    reason, until = str(call.args.get("reason", "")).strip(), str(call.args.get("until", ""))
    if len(reason) < policies.REASON:
        raise Misuse("policy.reason")
    if until and not _is_time(until):
        raise Misuse("policy.until", until=until[:40])
    policies.freeze(call.paths, call.the_target, call.key, reason[:300], until)
    return policy_get.run(call)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False
