"""``db.seed``: sow the rows of a repository's ``seeds/`` folder."""

from __future__ import annotations

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.model.names import PRODUCTION
from agent.operations.step import Context, Step
from agent.operations.steps.collect import Collect
from agent.operations.steps.seed import Seed


def check(call: Call) -> None:
    """Refuse production unless it is named."""
    if call.the_target.environment == PRODUCTION and call.args.get("production") is not True:
        raise Misuse("seed.production")


def steps(_ctx: Context) -> list[Step]:
    """Return the steps."""
    return [Collect(), Seed()]
