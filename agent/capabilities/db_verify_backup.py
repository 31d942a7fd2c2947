"""``db.verify_backup``: does a backup restore?"""

from __future__ import annotations

from agent.capabilities.call import Call
from agent.database.backup import names, store, verify
from agent.database.proof import scratch
from agent.model import messages
from agent.model.errors import Misuse
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps.restore_database import backup_of, source_of


def check(call: Call) -> None:
    """Refuse when there is no such backup, or none at all."""
    folder = call.paths.backups / call.the_target.slug
    if (name := call.args.get("backupName")) is not None:
        store.find(folder, names.check(name))
    elif not store.all_of(folder):
        raise Misuse("backup.unknown", name="–")


def steps(_ctx: Context) -> list[Step]:
    """Return the one step."""
    return [VerifyBackup()]


class VerifyBackup(Step):
    """Restores a backup (by default the newest) into a throw-away cluster and compares. Live is not touched."""

    name = "verify-backup"

    def apply(self, ctx: Context) -> Outcome:
        source = source_of(ctx)
        name = str(ctx.args.get("backupName") or store.all_of(source.folder)[0].name)
        done = verify.verify(source, backup_of(ctx, name))
        said = messages.text("backup.verified", {"tables": done.tables, "rows": done.rows}, ctx.lang)
        return Outcome(detail=f"{name}: {said}", result={"backup": backup_of(ctx, name).to_json()})

    def undo(self, ctx: Context) -> str:
        scratch.sweep(ctx.paths.state)
        return ""
