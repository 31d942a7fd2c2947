"""Stop the containers of a target."""

from __future__ import annotations

from agent.operations.step import Context, Outcome, Step
from agent.releases import observe, rollout, status
from agent.releases.site import Site


class Stop(Step):
    """Stops all that run. Its undo starts those again."""

    name = "stop"
    changes = True

    def apply(self, ctx: Context) -> Outcome:
        site = Site.of(ctx, ctx.target)
        running = [item.id for item in observe.containers(site.engine, site.slug) if item.state == "running"]
        ctx.note(running=running)
        rollout.stop_all(site, [(container, rollout.DEFAULT_DRAIN) for container in running])
        return Outcome("done" if running else "skipped", str(len(running)), {"services": status.services(site)})

    def undo(self, ctx: Context) -> str:
        site, running = Site.of(ctx, ctx.target), ctx.notes(self.name).get("running", [])
        there = {item.id: item for item in observe.containers(site.engine, site.slug)}
        stopped = [item for item in running if item in there and there[item].state != "running"]
        for container in stopped:
            site.engine.start(container)
        return str(len(stopped)) if stopped else ""
