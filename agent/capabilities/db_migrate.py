"""``db.migrate``: the pending migrations alone, without touching a container; one more as text where it comes along."""

from __future__ import annotations

from agent.capabilities.call import Call
from agent.host.files import read_json
from agent.host.keys import LOCAL
from agent.model import messages
from agent.model.errors import Misuse
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import restore_point
from agent.operations.steps.collect import Collect
from agent.operations.steps.database import ENVIRONMENT
from agent.operations.steps.guard import Guard, Remember
from agent.operations.steps.migrate import Migrate
from agent.operations.steps.prove import Prove


def check(call: Call) -> None:
    """Refuse when there is nothing to take the files from, and a connection that anybody but the host brings along."""
    home = call.paths.target(call.the_target)
    sources = ("release", "files", "sql")
    if not any(call.args.get(name) for name in sources) and not read_json(home.current, default={}).get("release"):
        raise Misuse("database.no_release", target=call.the_target)
    if call.args.get(ENVIRONMENT) and call.key != LOCAL.name:
        raise Misuse("database.foreign_dsn")


class _RestorePoint(restore_point.RestorePoint):
    """Only once all files are together is it known whether one is needed."""

    def apply(self, ctx: Context) -> Outcome:
        if ctx.args.get(ENVIRONMENT):
            return Outcome("skipped", messages.text("restore_point.environment", {}, ctx.lang))
        if not restore_point.needed(ctx):
            return Outcome("skipped", messages.text("migration.nothing", {}, ctx.lang))
        return super().apply(ctx)


def steps(_ctx: Context) -> list[Step]:
    """Return the steps."""
    return [Collect(), Guard(), Prove(), _RestorePoint(), Migrate(), Remember()]
