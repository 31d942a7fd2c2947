"""Start the containers that are there and stopped."""

from __future__ import annotations

from agent.operations.step import Context, Outcome, Step
from agent.releases import observe, records
from agent.releases.site import Site


class Start(Step):
    """Starts them in the order in which they were made; whether they are well is the later steps' question.

    Only long-running services are started: a one-shot has done its work. Nothing is undone: what stood still by
    mistake may run.
    """

    name = "start"

    def apply(self, ctx: Context) -> Outcome:
        site = Site.of(ctx, ctx.target)
        current = records.current(site)
        recorded = ((records.record(site, current.release) or {}) if current else {}).get("services", {})
        started = []
        for item in observe.containers(site.engine, site.slug):
            kind = recorded.get(item.service, {}).get("kind")
            if item.state in ("exited", "created") and kind not in (None, "one-shot"):
                site.engine.start(item.id)
                started.append(item.service)
        return Outcome("done" if started else "skipped", ", ".join(started))
