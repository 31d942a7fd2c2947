"""``audit.query``: who called what, and how it ended. A key sees the lines of what it is granted."""

from __future__ import annotations

from typing import Any, Final

from agent.capabilities.call import Call
from agent.host import history
from agent.model.errors import Misuse
from agent.model.names import Target

MOST: Final = 1000
_RESULTS: Final = ("ok", "error", "refused")
_FIELDS: Final = {"capability": "capability", "key": "key", "operation": "operation", "result": "result"}


def run(call: Call) -> dict[str, Any]:
    """Return ``entries``, newest first.

    Args (of the call): ``result`` (ok, error, refused), ``capability``, ``key``, ``operation``; ``before`` (a line's
    number) and ``limit`` (1 to 1000, by default 100) to page.
    """
    wanted = _wanted(call)
    limit, before = call.number("limit", 100, 1, MOST), call.args.get("before")
    found = history.query(call.paths, wanted, limit, None if before is None else call.number("before", 0, 1, 10**12))
    return {"entries": found, "before": found[-1]["seq"] if len(found) == limit else None}


def _wanted(call: Call) -> Any:
    result = call.args.get("result")
    if result is not None and result not in _RESULTS:
        raise Misuse("audit.result", result=str(result)[:40], known=", ".join(_RESULTS))
    asked = {field: call.args[name] for name, field in _FIELDS.items() if call.args.get(name) is not None}
    if call.target is not None:
        asked |= {"appName": call.target.app, "environment": call.target.environment}
    return lambda line: _visible(call, line) and all(line.get(name) == value for name, value in asked.items())


def _visible(call: Call, line: dict[str, Any]) -> bool:
    """A line about no app in particular is for keys that are granted everything."""
    if call.grant.everything:
        return True
    try:
        target = Target(str(line.get("appName") or ""), str(line.get("environment") or ""))
    except Misuse:
        return False
    return call.grant.may_act_on(target)
