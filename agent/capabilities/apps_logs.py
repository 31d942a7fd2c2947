"""``apps.logs``: the last lines of an app's services."""

from __future__ import annotations

from typing import Any, Final

from agent.capabilities.call import Call
from agent.host import envfile
from agent.model.errors import Misuse
from agent.model.secret import Redactor
from agent.releases import observe
from agent.releases.site import Site

MOST: Final = 2000


def run(call: Call) -> dict[str, Any]:
    """Return ``lines``: service, time and text, in the order of time; known secrets are masked."""
    site, service = Site.of(call, call.the_target), call.args.get("service")
    containers = observe.containers(site.engine, site.slug)
    if service is not None and service not in [item.service for item in containers]:
        raise Misuse("release.service_unknown", slug=site.slug, service=str(service)[:80])
    redact = Redactor(envfile.secrets(envfile.read(site.home.app_env)))
    redact.add(*envfile.secrets(envfile.read(site.home.agent_env)))
    tail = _tail(call.args.get("tail", 100))
    lines = [
        _line(item.service, line, redact)
        for item in containers
        if service in (None, item.service)
        for line in site.engine.logs(item.id, tail, timestamps=True)
    ]
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "lines": sorted(lines, key=lambda line: line["time"])[-tail:],
    }


def _tail(value: Any) -> int:
    if not str(value).isdigit() or not 0 < int(value) <= MOST:
        raise Misuse("wire.number", argument="tail", most=MOST)
    return int(value)


def _line(service: str, line: str, redact: Redactor) -> dict[str, str]:
    time, _, text = line.partition(" ")
    shown = "".join(letter for letter in text if letter.isprintable() or letter == "\t")
    return {"service": service, "time": time, "line": redact(shown)[:2000]}
