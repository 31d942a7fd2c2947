"""Before a rollback: may the wanted release run on the database as it is now? It changes nothing."""

from __future__ import annotations

from agent.model import messages
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome, Step
from agent.releases import backward, incoming, records
from agent.releases.site import Site


class Schema(Step):
    """Refuses a release that cannot live with what was migrated since; says how far ahead the database is."""

    name = "schema"

    def apply(self, ctx: Context) -> Outcome:
        release, site = incoming.of(ctx).release, Site.of(ctx, ctx.target)
        current = records.current(site)
        record = (records.record(site, current.release) or {}) if current else {}
        wanted = [item.name for item in release.migrations]
        if not wanted and not record.get("migrations"):
            return Outcome("skipped")
        found = backward.standing(wanted, _applied(ctx, site), record.get("breaking"))
        if refused := backward.refusal(release.id, found):
            raise refused
        ctx.note(ahead=list(found.ahead))
        result = {"migrations": {"applied": [], "pending": [], "ahead": list(found.ahead)}}
        if not found.ahead:
            return Outcome(result=result)
        return Outcome("done", messages.text("schema.ahead", {"names": ", ".join(found.ahead)}, ctx.lang), result)


def _applied(ctx: Context, site: Site) -> list[str]:
    """Ask the database what it has. One that does not answer is taken to have what the records say was applied."""
    from agent.database import ledger, target
    from agent.database.connect import session
    from agent.model.migrations import order

    try:
        if (dsn := target.dsn(site.home)) is not None:
            ctx.redactor.add(dsn.password)
            with session(dsn, f"ikoma:{ctx.operation}") as connection:
                rows = sorted(ledger.read(connection), key=lambda row: order(row.version))
            if rows:
                return [row.name for row in rows]
    except IkomaError as error:
        ctx.journal.emit("warning", error.to_json(ctx.lang))
    return sorted({name for item in records.all_records(site) for name in item.get("migrations") or ()})
