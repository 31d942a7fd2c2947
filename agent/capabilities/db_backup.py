"""``db.backup``: save the database now, under a name."""

from __future__ import annotations

from agent.capabilities.call import Call
from agent.database.backup import budget, dump, names, store
from agent.model import messages
from agent.model.errors import Misuse
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps.restore_database import source_of
from agent.releases import records
from agent.releases.site import Site


def check(call: Call) -> None:
    """Refuse a name that is none, or taken."""
    if (name := call.args.get("backupName")) is None:
        return
    if store.exists(call.paths.backups / call.the_target.slug, names.check(name)):
        raise Misuse("backup.exists", name=name)


def steps(_ctx: Context) -> list[Step]:
    """Return the one step."""
    return [Backup()]


class Backup(Step):
    """Leaves a backup. Its undo removes what a killed dump left."""

    name = "backup"

    def apply(self, ctx: Context) -> Outcome:
        name = str(ctx.args.get("backupName") or names.fresh("manual", ctx.operation))
        current = records.current(Site.of(ctx, ctx.target))
        made = dump.make(source_of(ctx), dump.Wanted(name, "manual", current.release if current else ""))
        said = messages.text("backup.done", {"name": name, "mb": round(made.bytes / budget.MB, 1)}, ctx.lang)
        return Outcome(detail=said, result={"backup": made.to_json()})

    def undo(self, ctx: Context) -> str:
        store.sweep(ctx.paths.backups / ctx.target.slug)
        return ""
