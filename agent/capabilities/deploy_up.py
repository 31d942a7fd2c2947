"""``deploy.up``: everything of the release that serves runs again; the first time, what lies in the app's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.call import Call
from agent.model.errors import Misuse

if TYPE_CHECKING:
    from agent.operations.step import Context, Step
    from agent.releases.site import Site


def check(call: Call) -> None:
    """Refuse when there is nothing to deploy; with a ref, who may not deploy and what is no repository."""
    from agent.releases import records
    from agent.releases.site import Site

    site = Site.of(call, call.the_target)
    if call.args.get("ref"):
        _check_ref(call, site)
    elif records.current(site) is None:
        _check_folder(site)


def steps(ctx: Context) -> list[Step]:
    """Return the steps: start what is there, make what is missing, through the same gate."""
    from agent.operations.steps.start import Start

    if ctx.args.get("ref"):
        return _published(ctx)
    if _is_first(ctx):
        return _gathered(ctx)
    return [Start(), *rolled_out_again(ctx)]


def rolled_out_again(ctx: Context) -> list[Step]:
    """Return the steps that roll the serving release out once more, from its record."""
    from agent.operations.steps.commit import Commit
    from agent.operations.steps.health import Health
    from agent.operations.steps.pull import Pull
    from agent.operations.steps.retire import Retire
    from agent.operations.steps.roll_out import RollOut
    from agent.releases import records
    from agent.releases.site import Site

    current = records.current(Site.of(ctx, ctx.target))
    ctx.args["release"] = ctx.notes(RollOut.name).get("release") or (current.release if current else None)
    return [Pull(), RollOut(), Health(), Commit(), Retire()]


def _check_folder(site: Site) -> None:
    from agent.releases import fromfolder

    if not site.home.compose.exists():
        raise Misuse("release.none", slug=site.slug)
    fromfolder.check(site)


def _is_first(ctx: Context) -> bool:
    """Whether nothing was ever deployed, or (in a recovery) had been before this operation."""
    from agent.operations.steps.gather import Gather
    from agent.releases import records
    from agent.releases.site import Site

    return bool(ctx.notes(Gather.name)) or records.current(Site.of(ctx, ctx.target)) is None


def _check_ref(call: Call, site: Site) -> None:
    from agent.releases import source

    if not call.grant.has_role("builder"):
        raise Misuse("wire.forbidden", key=call.key, role=call.role, capability="deploy.up ref=…", needed="builder")
    source.check_ref(str(call.args["ref"]))
    source.repository(site)


def _published(ctx: Context) -> list[Step]:
    from agent.operations.steps.sync import Sync

    return _found_first(ctx, Sync())


def _gathered(ctx: Context) -> list[Step]:
    from agent.operations.steps.gather import Gather

    return _found_first(ctx, Gather())


def _found_first(ctx: Context, finds: Step) -> list[Step]:
    """Return the steps of a deployment whose release is found first; what it needs is known only then."""
    from agent.capabilities import deploy_apply
    from agent.operations.steps import maintenance, make_room, restore_point
    from agent.operations.steps.provision import Provision, needed
    from agent.operations.steps.sync import Unless

    ctx.args["release"] = ctx.notes(finds.name).get("release", "")
    first = [Unless(make_room.MakeRoom(), make_room.needed), Unless(Provision(), needed)]
    closed = Unless(maintenance.Close(), maintenance.needed)
    saved = Unless(restore_point.RestorePoint(), restore_point.needed)
    return [finds, *first, *deploy_apply.in_order([closed, saved])]
