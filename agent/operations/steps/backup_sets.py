"""The steps that send backup sets off this host and bring them back."""

from __future__ import annotations

import json

from agent.database import target
from agent.database.backup import budget, notes, sets
from agent.host import restic
from agent.model import messages
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps.restore_database import source_of
from agent.releases import records
from agent.releases.site import Site


def _site(ctx: Context, *, with_database: bool) -> sets.Site:
    current = records.current(Site.of(ctx, ctx.target))
    known = with_database and target.dsn(ctx.home) is not None
    return sets.Site(
        ctx.target.slug, ctx.home, ctx.paths.backups / ctx.target.slug, source_of(ctx) if known else None,
        current.release if current else "", ctx.settings.docker_socket,
    )  # fmt: skip


class Push(Step):
    """Changes nothing on this host. Its undo removes what a killed attempt left."""

    name = "push"

    def apply(self, ctx: Context) -> Outcome:
        ctx.redactor.add(ctx.settings.backup_password, ctx.settings.backup_repository)
        notes.note(ctx.paths, ctx.target.slug, tried=notes.now())
        repository = restic.of(ctx.paths, ctx.settings)
        site = _site(ctx, with_database=True)
        done = sets.push(site, repository, ctx.settings.backup_keep, ctx.operation, ctx.progress)
        notes.note(ctx.paths, ctx.target.slug, pushed=notes.now(), snapshot=done.snapshot)
        if done.fault:
            ctx.journal.emit("warning", done.fault.to_json(ctx.lang))
        said = {"snapshot": done.snapshot, "count": len(done.parts), "mb": round(done.bytes / budget.MB, 1)}
        facts = {"snapshot": done.snapshot, "parts": done.parts, "bytes": done.bytes}
        return Outcome(detail=messages.text("backup.pushed", said, ctx.lang), result={"set": facts})

    def undo(self, ctx: Context) -> str:
        sets.discard(ctx.paths.backups / ctx.target.slug)
        return ""


class Fetch(Step):
    """Leaves the set in a folder of its own, and its database among the backups. Overwrites nothing that serves."""

    name = "fetch"

    def apply(self, ctx: Context) -> Outcome:
        ctx.redactor.add(ctx.settings.backup_password, ctx.settings.backup_repository)
        repository, site = restic.of(ctx.paths, ctx.settings), _site(ctx, with_database=False)
        snapshot, folder, name = sets.fetch(site, repository, str(ctx.args.get("snapshot") or ""))
        about = json.loads((folder / "set.json").read_text())
        facts = {"snapshot": snapshot, "folder": str(folder), "backup": name or None, "parts": about["parts"]}
        said = {"snapshot": snapshot, "folder": folder}
        return Outcome(detail=messages.text("backup.fetched", said, ctx.lang), result={"set": facts})

    def undo(self, ctx: Context) -> str:
        sets.discard(ctx.paths.backups / ctx.target.slug)
        return ""
