"""``apps.logs``: the last lines of an app's services, and what comes after them.

Who follows asks again with the ``cursor`` of the answer before; with ``wait`` it comes as soon as there is a line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from agent.capabilities.call import Call
from agent.host import envfile
from agent.model.errors import Misuse
from agent.model.secret import Redactor
from agent.releases import observe
from agent.releases.observe import Observed
from agent.releases.site import Site

MOST: Final = 2000
LONGEST_WAIT: Final = 25
LOOK_EVERY: Final = 0.4
_CURSOR: Final = re.compile(r"(?:[0-9a-f]{12}@[0-9TZ:.\-]{10,40}(?:,|$))*")
_SHORT: Final = 12

Cursor = dict[str, str]
"""Container → the time of its last line that was shown."""


def run(call: Call) -> dict[str, Any]:
    """Return ``lines`` (service, time, text; by time; known secrets are masked) and the ``cursor`` behind them."""
    site, cursor = Site.of(call, call.the_target), parse(call.args.get("cursor"))
    tail, wait = call.number("tail", 100, 1, MOST), call.number("wait", 0, 0, LONGEST_WAIT)
    redact = Redactor(envfile.secrets(envfile.read(site.home.app_env)))
    redact.add(*envfile.secrets(envfile.read(site.home.agent_env)))
    deadline = time.monotonic() + wait
    while not (found := _lines(site, call.args.get("service"), cursor, tail)) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    shown = sorted(found, key=lambda line: line[1])[-tail:]
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "lines": [_line(item.service, when, text, redact) for item, when, text in shown],
        "cursor": render(advanced(cursor, [(item.id, when) for item, when, _ in found])),
    }


def parse(text: object) -> Cursor:
    """Return a cursor that we gave out. Raises ``Misuse("wire.bad_request")``."""
    if text in (None, ""):
        return {}
    if not isinstance(text, str) or not _CURSOR.fullmatch(text):
        raise Misuse("wire.bad_request", reason="“cursor” is none of ours")
    pairs = (item.partition("@") for item in text.split(",") if item)
    return {name: when for name, _, when in pairs}


def render(cursor: Mapping[str, str]) -> str:
    """Return a cursor as the text that ``parse`` takes."""
    return ",".join(f"{name}@{when}" for name, when in sorted(cursor.items()))


def advanced(cursor: Mapping[str, str], seen: list[tuple[str, str]]) -> Cursor:
    """Return the cursor behind lines that were seen: container ids, each with the line's time. Pure."""
    new = dict(cursor)
    for container, when in seen:
        new[container[:_SHORT]] = max(new.get(container[:_SHORT], ""), when)
    return new


def _lines(site: Site, service: object, cursor: Cursor, tail: int) -> list[tuple[Observed, str, str]]:
    """Return the new lines of each container with their times. A container that ends meanwhile has none."""
    containers = observe.containers(site.engine, site.slug)
    if service is not None and service not in [item.service for item in containers]:
        raise Misuse("release.service_unknown", slug=site.slug, service=str(service)[:80])
    found = []
    for item in containers:
        if service in (None, item.service):
            since = cursor.get(item.id[:_SHORT], "")
            for line in site.engine.logs(item.id, tail, timestamps=True, since=_unix(since)):
                when, _, text = line.partition(" ")
                if when > since:
                    found.append((item, when, text))
    return found


def _unix(when: str) -> str:
    """Return a time of the Engine (RFC 3339 with nanoseconds) as its log filter takes it."""
    if not when:
        return ""
    whole, _, fraction = when.rstrip("Z").partition(".")
    try:
        return f"{int(datetime.fromisoformat(whole + '+00:00').timestamp())}.{fraction or '0'}"
    except ValueError:
        raise Misuse("wire.bad_request", reason="“cursor” is none of ours") from None


def _line(service: str, when: str, text: str, redact: Redactor) -> dict[str, str]:
    shown = "".join(letter for letter in text if letter.isprintable() or letter == "\t")
    return {"service": service, "time": when, "line": redact(shown)[:2000]}
