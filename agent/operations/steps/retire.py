"""Clean up behind a release that serves: the containers it replaced, and what the retention does not keep."""

from __future__ import annotations

import shutil

from agent.model import messages
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import thin
from agent.releases import observe, prepare, records, retention
from agent.releases.site import Site


class Retire(Step):
    """Removes only what belongs to this target. Works from the journal's notes, so recovery can finish it."""

    name = "retire"

    def apply(self, ctx: Context) -> Outcome:
        site = Site.of(ctx, ctx.target)
        old = set(ctx.notes("roll-out").get("old", []))
        gone = [item.id for item in observe.containers(site.engine, site.slug) if item.id in old]
        for container in gone:
            site.engine.remove(container)
        shutil.rmtree(site.home.base / prepare.STAGED, ignore_errors=True)
        records.forget_former(site, ctx.operation)
        retired = retention.retire(site)
        backups = thin.as_recorded(ctx)
        if not gone and not retired.releases and not retired.images and not backups:
            return Outcome("skipped")
        counts = {"containers": len(gone), "releases": len(retired.releases), "images": len(retired.images)}
        said = messages.text("retire.done", counts | {"backups": len(backups)}, ctx.lang)
        return Outcome(detail=said, result={"retired": retired.releases})
