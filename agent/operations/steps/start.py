"""Start the containers that are there and stopped."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Final

from agent.operations.step import Context, Outcome, Step
from agent.releases import incoming, observe, records
from agent.releases.site import Site

POLL: Final = 0.1


class Start(Step):
    """Starts them in the order in which they were made and lets their health checks come to an answer.

    Whether that answer is good is the later steps' question; they would replace a container that has none yet.

    Only long-running services are started: a one-shot has done its work. Nothing is undone: what stood still by
    mistake may run.
    """

    name = "start"

    def apply(self, ctx: Context) -> Outcome:
        site = Site.of(ctx, ctx.target)
        current = records.current(site)
        recorded = ((records.record(site, current.release) or {}) if current else {}).get("services", {})
        started: dict[str, str] = {}
        for item in observe.containers(site.engine, site.slug):
            kind = recorded.get(item.service, {}).get("kind")
            if item.state in ("exited", "created") and kind not in (None, "one-shot"):
                site.engine.start(item.id)
                started[item.id] = item.service
        _settle(site, started, incoming.of(ctx).release.health.timeout)
        return Outcome("done" if started else "skipped", ", ".join(started.values()))


def _settle(site: Site, started: Collection[str], seconds: float) -> None:
    """Wait until no health check of these containers is still undecided, ``seconds`` at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = observe.containers(site.engine, site.slug)
        if not any(item.id in started and (item.state, item.health) == ("running", "starting") for item in found):
            return
        time.sleep(POLL)
