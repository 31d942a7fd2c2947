"""``db.migrate``: the pending migrations alone, without touching a container."""

from __future__ import annotations

from agent.capabilities.call import Call
from agent.host.files import read_json
from agent.host.paths import TargetPaths
from agent.model.errors import Misuse
from agent.operations.step import Context, Step
from agent.operations.steps import restore_point
from agent.operations.steps.guard import Guard
from agent.operations.steps.migrate import Migrate
from agent.operations.steps.prove import Prove


def check(call: Call) -> None:
    """Refuse when there is no release to take the files from."""
    if not call.args.get("release") and _serving(call.paths.target(call.the_target)) is None:
        raise Misuse("database.no_release", target=call.the_target)


def steps(ctx: Context) -> list[Step]:
    """Return the steps; the release is the serving one unless the caller names another."""
    ctx.args.setdefault("release", _serving(ctx.home))
    saved: list[Step] = [restore_point.RestorePoint()] if restore_point.needed(ctx) else []
    return [Guard(), Prove(), *saved, Migrate()]


def _serving(home: TargetPaths) -> str | None:
    release: str | None = read_json(home.current, default={}).get("release")
    return release
