"""``db.restore``: put a backup in the place of the live database, which is kept; services stop and start around it."""

from __future__ import annotations

from agent.capabilities import deploy_up
from agent.capabilities.call import Call
from agent.database.backup import names, restore, store
from agent.model.errors import IkomaError, Misuse
from agent.operations.step import Context, Step
from agent.operations.steps.restore_database import RestoreDatabase, Weigh
from agent.operations.steps.stop import Stop
from agent.releases import records
from agent.releases.site import Site


def check(call: Call) -> None:
    """Refuse what is no backup, and one that the serving release cannot live with."""
    if call.args.get("backupName") is None:
        raise Misuse("wire.missing_argument", capability="db.restore", argument="backupName")
    restore.parse(call.args.get("discard"))
    backup = store.find(call.paths.backups / call.the_target.slug, names.check(call.args["backupName"]))
    site = Site.of(call, call.the_target)
    current = records.current(site)
    needs = (records.record(site, current.release) or {}).get("migrations", []) if current else []
    lacking = [name for name in needs if name not in backup.migrations]
    if lacking and not backup.tables:
        raise IkomaError("backup.other_schema", name=backup.name, migrations=", ".join(lacking))


def steps(ctx: Context) -> list[Step]:
    """Return the steps; with a release that serves, it starts again behind its health gate."""
    name, discard = str(ctx.args["backupName"]), restore.parse(ctx.args.get("discard"))
    first: list[Step] = [Weigh(name, discard), Stop(), RestoreDatabase(name, discard)]
    if records.current(Site.of(ctx, ctx.target)) is None:
        return first
    return [*first, *deploy_up.steps(ctx)]
