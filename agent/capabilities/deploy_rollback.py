"""``deploy.rollback``: an earlier release that was healthy here, by the same steps and through the same gate.

With ``restore_database`` the database goes back as well: to the restore point that was taken before the first migration
which the wanted release does not know, or to a backup that is named. What is lost is counted first, and agreed to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.model.names import RELEASE

if TYPE_CHECKING:
    from agent.operations.step import Context, Step
    from agent.releases.site import Site


def check(call: Call) -> None:
    """Refuse when there is no release to go back to, or no backup of the database for it."""
    from agent.releases import records
    from agent.releases.site import Site

    wanted, site = call.args.get("to"), Site.of(call, call.the_target)
    current = records.current(site)
    if current is None:
        raise Misuse("release.none", slug=site.slug)
    if wanted is None and current.previous is None:
        raise Misuse("release.no_previous", slug=site.slug)
    wanted = str(wanted or current.previous)
    if not RELEASE.fullmatch(wanted) or records.record(site, wanted) is None:
        raise Misuse("release.unknown", release=wanted[:40], slug=site.slug)
    if call.args.get("restore_database"):
        from agent.database.backup import restore

        restore.parse(call.args.get("discard"))
        _backup(site, wanted, call.args["restore_database"])


def steps(ctx: Context) -> list[Step]:
    """Return the steps; the release is chosen once and noted, so that a recovery means the same one."""
    from agent.operations.steps.commit import Commit
    from agent.operations.steps.health import Health
    from agent.operations.steps.pull import Pull
    from agent.operations.steps.retire import Retire
    from agent.operations.steps.roll_out import RollOut
    from agent.operations.steps.schema import Schema
    from agent.releases import records
    from agent.releases.site import Site

    noted = ctx.notes(RollOut.name).get("release")
    current = records.current(Site.of(ctx, ctx.target))
    ctx.args["release"] = noted or ctx.args.get("to") or (current.previous if current else None)
    ctx.args["proven"] = True
    first = _with_database(ctx) if ctx.args.get("restore_database") else [Schema(), Pull()]
    return [*first, RollOut(), Health(), Commit(), Retire()]


def _with_database(ctx: Context) -> list[Step]:
    """Return the steps that put the database back, with the services standing still.

    What can fail without them comes before: the images are there and live is saved when they stop.
    """
    from agent.capabilities.db_backup import Backup
    from agent.database.backup import restore
    from agent.operations.steps.pull import Pull
    from agent.operations.steps.restore_database import RestoreDatabase, Weigh
    from agent.operations.steps.schema import Schema
    from agent.operations.steps.stop import Stop
    from agent.releases.site import Site

    name = _backup(Site.of(ctx, ctx.target), str(ctx.args["release"]), ctx.args["restore_database"])
    discard = restore.parse(ctx.args.get("discard"))
    return [Weigh(name, discard), Pull(), Backup(), Stop(), RestoreDatabase(name, discard), Schema()]


def _backup(site: Site, release: str, asked: object) -> str:
    """Return the name of the backup to put back. Raises ``Misuse("rollback.no_restore_point")``."""
    from agent.releases import backward, records

    if isinstance(asked, str) and asked not in ("true", "yes"):
        return asked
    wanted = (records.record(site, release) or {}).get("migrations") or []
    found = backward.restore_point(wanted, records.all_records(site))
    if found is None:
        raise Misuse("rollback.no_restore_point", release=release)
    return found
