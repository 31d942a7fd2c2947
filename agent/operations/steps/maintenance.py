"""The step that closes an app for a migration that its running release cannot live with.

It stands before the restore point, so that nothing is written between the two: a deployment that fails brings the
database back as it was, then the services, then the routes.
"""

from __future__ import annotations

from typing import Any, Final

from agent.database import ledger, target
from agent.database.backup import budget, restore, store
from agent.database.backup import source as sources
from agent.database.connect import session
from agent.model import messages
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import restore_point
from agent.operations.steps.guard import MAINTENANCE
from agent.releases import drain, incoming, observe, proxy, records, rollout
from agent.releases.site import Site

NAME: Final = "maintenance"


def needed(ctx: Context) -> bool:
    """Whether the contract allows it and something is pending, or (in a recovery) it had begun."""
    if ctx.notes(NAME):
        return True
    return restore_point.needed(ctx) and incoming.of(ctx).release.maintenance


def problems(ctx: Context) -> list[IkomaError]:
    """Return why the app cannot be closed for what preflight has named: only a whole copy brings it back."""
    if not _names(ctx) or budget.choice(str(word) for word in ctx.args.get("accept") or ()).how == "database":
        return []
    return [IkomaError("maintenance.no_restore_point", names=", ".join(_names(ctx)))]


def _names(ctx: Context) -> list[str]:
    return list(ctx.notes("preflight").get(MAINTENANCE, []))


class Close(Step):
    """Lets the routes answer 503 and stops all services but stateful ones. Its undo opens the app as it was."""

    name = NAME
    changes = True

    def apply(self, ctx: Context) -> Outcome:
        names, site = _names(ctx), Site.of(ctx, ctx.target)
        current = records.current(site)
        if not names or current is None:
            return Outcome("skipped")
        record = records.record(site, current.release) or {}
        running = _running(site, record)
        ctx.note(running=running, routes=proxy.current(site), down=records.down(site))
        records.set_down(site, {"operation": ctx.operation, "since": records.now()})
        proxy.apply(site, proxy.closed_file(site, record.get("routes") or {}))
        drain.stop_all(site.engine, [(container, rollout.DEFAULT_DRAIN) for container in running])
        return Outcome(detail=messages.text("maintenance.closed", {"names": ", ".join(names)}, ctx.lang))

    def undo(self, ctx: Context) -> str:
        notes, site = ctx.notes(self.name), Site.of(ctx, ctx.target)
        if "running" not in notes:
            return ""
        _data_back(ctx)
        there = {item.id: item for item in observe.containers(site.engine, site.slug)}
        for container in notes["running"]:
            if container in there and there[container].state != "running":
                site.engine.start(container)
        records.set_down(site, notes["down"])
        proxy.apply(site, str(notes["routes"]))
        return str(len(notes["running"]))


def _running(site: Site, record: dict[str, Any]) -> list[str]:
    kinds = {name: facts.get("kind") for name, facts in (record.get("services") or {}).items()}
    found = observe.containers(site.engine, site.slug)
    return [item.id for item in found if item.state == "running" and kinds.get(item.service) != "stateful"]


def _data_back(ctx: Context) -> None:
    """Put the restore point back if a migration was committed that the former release cannot live with."""
    notes = ctx.notes(NAME)
    if notes.get("restored"):
        return
    release = incoming.of(ctx).release
    source = sources.of(ctx, ctx.target, ctx.operation, release.schemas)
    ctx.redactor.add(source.dsn.password, source.strongest.password)
    if notes.get("how"):
        restore.take_back(source, notes)
    if set(_committed(ctx)) & set(_names(ctx)):
        backup = store.find(source.folder, str(ctx.notes(restore_point.NAME)["name"]))
        ctx.progress(messages.text("maintenance.restoring", {"name": backup.name}, ctx.lang))
        restore.restore(source, backup, "all", ctx.note, lambda *_: None)
    ctx.note(restored=True)


def _committed(ctx: Context) -> list[str]:
    with session(target.required(ctx.home, ctx.target), f"ikoma:{ctx.operation}") as connection:
        return ledger.of_operation(connection, ctx.operation)
