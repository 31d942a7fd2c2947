"""The release as users meet it: every service once more, then each route through the proxy itself."""

from __future__ import annotations

from functools import partial
from typing import Final

from agent.model.contract import Health as Gate
from agent.model.contract import Probe
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome, Step
from agent.releases import health, incoming, proxy
from agent.releases.site import Site

_ROUTE_SECONDS: Final = 30.0


class Health(Step):
    """Judges what runs now. It changes nothing, so there is nothing to undo."""

    name = "health"

    def apply(self, ctx: Context) -> Outcome:
        release, site = incoming.of(ctx).release, Site.of(ctx, ctx.target)
        rolled_out = ctx.notes("roll-out")
        serving, wanted = rolled_out.get("serving", {}), rolled_out.get("services", {})
        long_running = {name: facts for name, facts in release.services.items() if facts.kind != "one-shot"}
        for name in long_running:
            if not serving.get(name) and wanted.get(name, {}).get("replicas", 1):
                raise IkomaError("health.gone", service=name)
        checks = [
            health.Check(container, name, facts.probe, fresh=False)
            for name, facts in long_running.items()
            for container in serving.get(name, [])
        ]
        health.gate(site.engine, checks, Gate(timeout=release.health.timeout, window=0), ctx.redactor)
        _warn_of_unwatched(ctx, site, checks)
        for host, upstream in sorted(release.routes.items()):
            service, _, port = upstream.rpartition(":")
            _through(ctx, site, host, upstream, asked(release.services[service].probe, int(port)))
        return Outcome(detail=", ".join(sorted(long_running)))


def asked(probe: Probe | None, port: int) -> Probe | None:
    """Return the probe that holds for a route as well: one of the port that the route leads to. Pure."""
    return probe if probe and probe.port in (None, port) else None


def fine(probe: Probe | None, status: int) -> bool:
    """Say whether an answer through the route will do; a redirection is the app's own to make. Pure."""
    return probe is None or 300 <= status < 400 or health.right(probe, status)


def _through(ctx: Context, site: Site, host: str, upstream: str, probe: Probe | None) -> None:
    """Ask the route itself. Without a certificate yet nobody can: that is told, and no fault of the release."""
    trouble = proxy.answers(site.settings, host, probe.path if probe else "/", _ROUTE_SECONDS, partial(fine, probe))
    if trouble and trouble.certificate:
        warning = IkomaError("health.certificate", host=host, said=trouble.said)
        ctx.journal.emit("warning", warning.to_json(ctx.lang))
    elif trouble:
        raise IkomaError("health.route", host=host, upstream=upstream, said=trouble.said)


def _warn_of_unwatched(ctx: Context, site: Site, checks: list[health.Check]) -> None:
    """A service that says nothing of its health passes by staying up: people should know that this is all."""
    for check in checks:
        inspected = site.engine.container(check.container)
        if check.probe is None and inspected is not None and not inspected["State"].get("Health"):
            warning = IkomaError("health.unwatched", service=check.service)
            ctx.journal.emit("warning", warning.to_json(ctx.lang))
