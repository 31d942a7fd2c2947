"""``deploy.apply``: bring a release to this host and make it serve.

Its fast path imports the standard library only, and the database's driver where there is a schema to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.model.names import RELEASE

if TYPE_CHECKING:
    from agent.operations.step import Context, Step
    from agent.releases.site import Site


def check(call: Call) -> None:
    """Refuse a request that names no release."""
    release = str(call.args.get("release", ""))
    if not RELEASE.fullmatch(release):
        raise Misuse("release.unknown", release=release[:40], slug=call.the_target.slug)
    if (override := call.args.get("override")) is not None:
        from agent.host.policies import REASON

        if len(str(override).strip()) < REASON:
            raise Misuse("policy.reason")


def unchanged(call: Call, _bundle: Path | None) -> dict[str, Any] | None:
    """Return the result when the release already serves, whole and well. Leaves everything as it is."""
    from agent.releases import records
    from agent.releases.site import Site
    from agent.releases.unchanged import unchanged as compare

    if call.args.get("accept"):
        return None
    site = Site.of(call, call.the_target)
    services = compare(site, str(call.args["release"]))
    if services is None or not _database_untouched(call, site):
        return None
    current, record = records.current(site), records.record(site, str(call.args["release"])) or {}
    return {"status": "HEALTHY", "services": services, "previous": current.previous if current else None,
            "routes": site.addresses(record.get("routes") or ())}  # fmt: skip


def _database_untouched(call: Call, site: Site) -> bool:
    """Ask the database only where a deployment left a fingerprint of it: the driver costs more than all the rest."""
    from agent.releases import records

    if not (records.record(site, str(call.args["release"])) or {}).get("fingerprint"):
        return True
    from agent.database.drift import untouched

    return untouched(site.home, call.the_target)


def steps(ctx: Context) -> list[Step]:
    """Return the steps of a deployment, in their order."""
    from agent.operations.steps import maintenance, make_room, restore_point
    from agent.operations.steps.provision import Provision, needed

    first: list[Step] = [make_room.MakeRoom()] if make_room.needed(ctx) else []
    first += [Provision()] if needed(ctx) else []
    saving: list[Step] = [maintenance.Close()] if maintenance.needed(ctx) else []
    saving += [restore_point.RestorePoint()] if restore_point.needed(ctx) else []
    return [*first, *in_order(saving)]


def in_order(saving: Sequence[Step]) -> list[Step]:
    """Return the steps that every deployment has, with those that save the database in their place."""
    from agent.operations.steps.commit import Commit
    from agent.operations.steps.health import Health
    from agent.operations.steps.migrate import Migrate
    from agent.operations.steps.preflight import Preflight
    from agent.operations.steps.prove import Prove
    from agent.operations.steps.pull import Pull
    from agent.operations.steps.retire import Retire
    from agent.operations.steps.roll_out import RollOut

    return [Preflight(), Pull(), Prove(), *saving, Migrate(), RollOut(), Health(), Commit(), Retire()]
