"""The release as users meet it: every service once more, then each route through the proxy itself."""

from __future__ import annotations

from collections.abc import Mapping

from agent.model.contract import Health as Gate
from agent.model.errors import IkomaError
from agent.model.release import ReleaseService
from agent.operations.step import Context, Outcome, Step
from agent.releases import health, incoming, observe, proxy
from agent.releases.site import Site


class Health(Step):
    """Judges what runs now. It changes nothing, so there is nothing to undo."""

    name = "health"

    def apply(self, ctx: Context) -> Outcome:
        release, site = incoming.of(ctx).release, Site.of(ctx, ctx.target)
        running = [item for item in observe.containers(site.engine, site.slug) if item.state != "exited"]
        checks = [
            health.Check(item.id, item.service, release.services[item.service].probe)
            for item in running
            if item.service in release.services and release.services[item.service].kind != "one-shot"
        ]
        _all_there({check.service for check in checks}, release.services)
        _warn_of_unwatched(ctx, running, release.services)
        health.gate(site.engine, checks, Gate(timeout=release.health.timeout, window=0), ctx.redactor)
        for host, upstream in sorted(release.routes.items()):
            probe = release.services[upstream.rpartition(":")[0]].probe
            if said := proxy.answers(site.settings, host, probe.path if probe else "/", 30):
                raise IkomaError("health.route", host=host, upstream=upstream, said=said)
        return Outcome(detail=", ".join(sorted({check.service for check in checks})))


def _all_there(found: set[str], services: Mapping[str, ReleaseService]) -> None:
    for name, facts in services.items():
        if facts.kind != "one-shot" and name not in found:
            raise IkomaError("health.gone", service=name)


def _warn_of_unwatched(ctx: Context, running: list[observe.Observed], services: Mapping[str, ReleaseService]) -> None:
    """A service that says nothing of its health passes by staying up: people should know that this is all."""
    silent = {item.service for item in running if not item.health and item.service in services}
    for name in sorted(silent):
        if services[name].probe is None and services[name].kind in ("routed", "worker"):
            warning = IkomaError("health.unwatched", service=name)
            ctx.journal.emit("warning", warning.to_json(ctx.lang))
