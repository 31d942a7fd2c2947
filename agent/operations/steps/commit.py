"""Record the release as the one that serves."""

from __future__ import annotations

from dataclasses import asdict

from agent.database import byhand
from agent.operations.step import Context, Outcome, Step
from agent.releases import incoming, prepare, records
from agent.releases.records import Current
from agent.releases.site import Site


class Commit(Step):
    """Writes the record, then ``current.json``. From here on the deployment is HEALTHY whatever happens."""

    name = "commit"

    def apply(self, ctx: Context) -> Outcome:
        site, arriving = Site.of(ctx, ctx.target), incoming.of(ctx)
        release, before = arriving.release, records.current(site)
        ctx.note(current=asdict(before) if before else None, release=release.id, down=records.down(site))
        records.keep_former(site, release.id, ctx.operation)
        staged = prepare.staged(site, ctx.operation)
        records.write(
            site, arriving.folder, staged, self._facts(ctx, records.values_hash(site, staged / records.VALUES))
        )
        previous = _previous(before, release.id)
        records.serve(site, Current(release.id, previous, "HEALTHY", records.now(), ctx.operation))
        records.set_down(site, None)
        byhand.forget(ctx.home, [item.file for item in release.migrations])
        served = {"release": release.id, "previous": previous, "routes": site.addresses(release.routes)}
        return Outcome(detail=release.id, result=served)

    def _facts(self, ctx: Context, values: str) -> dict[str, object]:
        release = incoming.of(ctx).release
        served = ctx.notes("roll-out").get("services", {})
        return {
            "release": release.id,
            "status": "HEALTHY",
            "operation": ctx.operation,
            "values": values,
            "services": {
                **{name: facts for name, facts in served.items() if name not in release.services},
                **{
                    name: {"image": facts.image, "tag": facts.tag, "kind": facts.kind, **served.get(name, {})}
                    for name, facts in release.services.items()
                },
            },
            "routes": release.routes,
            "migrations": [item.name for item in release.migrations],
            "breaking": _breaking(ctx),
            "ahead": ctx.notes("schema").get("ahead", []),
            "fingerprint": _fingerprint(ctx),
            "proof": ctx.notes("prove").get("proof"),
            "restore_point": _restore_point(ctx, release.id),
            "retention": release.retention.releases,
            "provenance": release.provenance.model_dump(),
        }

    def undo(self, ctx: Context) -> str:
        notes, site = ctx.notes(self.name), Site.of(ctx, ctx.target)
        if "release" not in notes:
            return ""
        before, current = notes["current"], records.current(site)
        if current is not None and current.operation == ctx.operation:
            records.serve_again(site, Current.of(before) if before else None)
        records.set_down(site, notes.get("down"))
        records.restore_former(site, str(notes["release"]), ctx.operation)
        return str(before["release"]) if before else "–"


def _breaking(ctx: Context) -> list[str]:
    """The migrations, of this deployment and those before it, that a release without them may not live with."""
    current = records.current(Site.of(ctx, ctx.target))
    before = (records.record(Site.of(ctx, ctx.target), current.release) or {}) if current else {}
    return list(dict.fromkeys([*before.get("breaking", []), *ctx.notes("preflight").get("breaking", [])]))


def _restore_point(ctx: Context, release: str) -> str | None:
    """What the database was before the release's migrations: taken now, or when the release was first deployed."""
    known = records.record(Site.of(ctx, ctx.target), release) or {}
    noted = ctx.notes("restore-point").get("name") or known.get("restore_point")
    return str(noted) if noted else None


def _fingerprint(ctx: Context) -> str | None:
    """The database's schema as this deployment leaves it; None where nobody looked."""
    noted = ctx.notes("migrate").get("fingerprint") or ctx.notes("prove").get("fingerprint")
    return str(noted) if noted else None


def _previous(before: Current | None, release: str) -> str | None:
    """The release to go back to; deploying the same one again with other values does not forget it."""
    if before is None:
        return None
    return before.previous if before.release == release else before.release
