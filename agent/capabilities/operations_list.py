"""``operations.list``: the history of a target."""

from __future__ import annotations

from typing import Any, Final

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.operations.journal import Journal, Operation

_MOST: Final = 200


def run(call: Call) -> dict[str, Any]:
    """Return the latest operations, newest first. ``limit`` (1 to 200, by default 20) says how many."""
    with Journal(call.paths) as journal:
        return {"operations": [_shown(one) for one in journal.latest(call.the_target.slug, _limit(call))]}


def _limit(call: Call) -> int:
    try:
        limit = int(call.args.get("limit", 20))
    except (TypeError, ValueError):
        limit = 0
    if not 1 <= limit <= _MOST:
        raise Misuse("wire.number", argument="limit", most=_MOST)
    return limit


def _shown(one: Operation) -> dict[str, Any]:
    result = one.result or {}
    return {
        "id": one.id,
        "capability": one.capability,
        "status": one.status,
        "release": result.get("release") or one.args.get("release"),
        "message": result.get("message", ""),
        "created": one.created,
        "started": one.started,
        "ended": one.ended,
        "key": one.key,
        "client": one.client,
        "error": (result.get("error") or {}).get("id"),
    }
