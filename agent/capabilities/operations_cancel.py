"""``operations.cancel``: end an operation that hangs. What it had begun is taken back."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.model.names import check_operation
from agent.operations import cancel
from agent.operations.recovery import ensure
from agent.protocol import TERMINAL


def run(call: Call) -> dict[str, Any]:
    """Return ``operation``, ``status`` and ``cancelled``: whether it was still to be ended.

    Args (of the call): ``operation``.
    """
    identity = check_operation(str(call.args.get("operation", "")))
    found = cancel.find(call.paths, identity)
    if not call.grant.may_act_on(found.target):
        raise Misuse("wire.foreign_app", key=call.key, slug=found.target.slug)
    running = found.status not in TERMINAL
    if running:
        from agent.capabilities import CAPABILITIES

        found = cancel.cancel(call.paths, identity, lambda: ensure(call.paths, CAPABILITIES, found.target, wait=30.0))
    return {"operation": identity, "status": found.status, "cancelled": running, "message": _message(found.result)}


def _message(result: dict[str, Any] | None) -> str:
    return str((result or {}).get("message", ""))
