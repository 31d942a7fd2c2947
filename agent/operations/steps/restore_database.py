"""The steps that put a backup of the database back, with the services standing still."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from agent.database.backup import restore, store
from agent.database.backup import source as sources
from agent.database.backup.restore import Discard
from agent.database.backup.source import Source
from agent.database.backup.store import Backup
from agent.model import messages
from agent.operations.step import Context, Outcome, Step
from agent.releases import incoming, records
from agent.releases.site import Site

NAME: Final = "restore-database"


def source_of(ctx: Context) -> Source:
    """Return the target's database as its serving release describes it."""
    current = records.current(Site.of(ctx, ctx.target))
    folder = ctx.home.release(current.release) if current else None
    known = folder is not None and (folder / records.MANIFEST).exists()
    schemas = incoming.load(folder).schemas if folder is not None and known else ["public"]
    source = sources.of(ctx, ctx.target, ctx.operation, schemas)
    ctx.redactor.add(source.dsn.password, source.strongest.password)
    return source


def backup_of(ctx: Context, name: str) -> Backup:
    """Return a backup of the target. Raises ``Misuse`` (``backup.name``, ``backup.unknown``)."""
    return store.find(ctx.paths.backups / ctx.target.slug, name)


class Weigh(Step):
    """Counts what would be lost, and refuses before anything stands still. Changes nothing."""

    name = "weigh"

    def __init__(self, backup: str, discard: Discard) -> None:
        self.backup, self.discard = backup, discard

    def apply(self, ctx: Context) -> Outcome:
        source, backup = source_of(ctx), backup_of(ctx, self.backup)
        restore.whole(source, backup)
        loss = restore.weigh(source, backup)
        restore.consent(backup, loss, self.discard)
        said = {"count": loss.total, "created": backup.created}
        return Outcome(detail=messages.text("restore.weighed", said, ctx.lang))


class RestoreDatabase(Step):
    """Restores beside live and swaps. Its undo swaps back; what live was is kept after a success."""

    name = NAME
    changes = True

    def __init__(self, backup: str, discard: Discard) -> None:
        self.backup, self.discard = backup, discard

    def apply(self, ctx: Context) -> Outcome:
        source, backup = source_of(ctx), backup_of(ctx, self.backup)
        done = restore.restore(source, backup, self.discard, ctx.note, partial(_tell, ctx))
        said = {"name": backup.name, "kept": ", ".join(done.kept)}
        return Outcome(detail=messages.text("restore.done", said, ctx.lang), result={"restored": done.to_json()})

    def undo(self, ctx: Context) -> str:
        notes = ctx.notes(self.name)
        return restore.take_back(source_of(ctx), notes) if notes.get("how") else ""


def _tell(ctx: Context, message_id: str, params: dict[str, Any]) -> None:
    ctx.progress(messages.text(message_id, params, ctx.lang))
