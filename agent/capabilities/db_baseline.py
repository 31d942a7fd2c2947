"""``db.baseline``: record files as applied that somebody ran by hand, if what they make equals the database."""

from __future__ import annotations

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.operations.step import Context, Step
from agent.operations.steps.adopt import Baseline
from agent.operations.steps.collect import Collect


def check(call: Call) -> None:
    """Refuse a request that does not say through which file."""
    if not str(call.args.get("through") or ""):
        raise Misuse("wire.missing_argument", capability="db.baseline", argument="through")


def steps(_ctx: Context) -> list[Step]:
    """Return the steps; without ``apply`` the second changes nothing."""
    return [Collect(), Baseline()]
