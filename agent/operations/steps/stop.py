"""Stop the containers of a target."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Final

from agent.operations.step import Context, Outcome, Step
from agent.releases import drain, observe, records, rollout, status
from agent.releases.site import Site

SETTLES: Final = 5.0


class Stop(Step):
    """Stops all that run, and writes down that they are meant to stand still. Its undo starts those again."""

    name = "stop"
    changes = True

    def apply(self, ctx: Context) -> Outcome:
        site = Site.of(ctx, ctx.target)
        running = [item.id for item in observe.containers(site.engine, site.slug) if item.state == "running"]
        ctx.note(running=running, down=records.down(site))
        records.set_down(site, {"operation": ctx.operation, "since": records.now()})
        drain.stop_all(site.engine, [(container, rollout.DEFAULT_DRAIN) for container in running])
        _settle(site, running)
        return Outcome("done" if running else "skipped", str(len(running)), {"services": status.services(site)})

    def undo(self, ctx: Context) -> str:
        site, notes = Site.of(ctx, ctx.target), ctx.notes(self.name)
        if "running" not in notes:
            return ""
        records.set_down(site, notes["down"])
        there = {item.id: item for item in observe.containers(site.engine, site.slug)}
        stopped = [item for item in notes["running"] if item in there and there[item].state != "running"]
        for container in stopped:
            site.engine.start(container)
        return str(len(stopped)) if stopped else ""


def _settle(site: Site, stopped: Collection[str]) -> None:
    """Wait until the engine's list says what its answer said: it may call a container running for a moment more."""
    deadline = time.monotonic() + SETTLES
    while time.monotonic() < deadline:
        if not any(
            item.id in stopped and item.state == "running" for item in observe.containers(site.engine, site.slug)
        ):
            return
        time.sleep(0.05)
