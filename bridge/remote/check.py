"""What ``host check`` says of a host: one row a fact, with a verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from agent.model import messages
from agent.model.errors import Misuse
from bridge.remote import layout
from bridge.remote.facts import Facts
from bridge.remote.package import choose

Verdict = Literal["ok", "warning", "bad"]

OLDEST_ENGINE: Final = (20, 10)
OLDEST_COMPOSE: Final = (2, 20)
LEAST_DISK: Final = 5 * 1024**3
"""Bytes below which a first deployment is likely to fill the disk."""
MOST_SKEW_S: Final = 30.0

PROXY: Final = "container ikoma-proxy"


@dataclass(frozen=True, slots=True)
class Row:
    """One fact: the message id of its name, its value, and a remedy (message id and parameters) where needed."""

    name: str
    value: str
    verdict: Verdict = "ok"
    remedy: str = ""
    params: tuple[tuple[str, object], ...] = ()

    def advice(self, lang: str | None = None) -> str:
        """Return what to do about it; empty when it is well."""
        return messages.text(self.remedy, dict(self.params), lang) if self.remedy else ""


def rows(facts: Facts) -> list[Row]:
    """Return the rows for a host looked at with its survey."""
    return [
        Row("remote.row.system", f"{facts.system}, {facts.machine}"),
        _python(facts),
        *_engine(facts),
        *_ports(facts),
        *_disk(facts),
        *_databases(facts),
        _clock(facts),
        _agent(facts),
        *_agents_own(facts),
    ]


def worst(found: list[Row]) -> Verdict:
    """Return the gravest verdict."""
    verdicts = {row.verdict for row in found}
    return "bad" if "bad" in verdicts else "warning" if "warning" in verdicts else "ok"


def to_json(facts: Facts, found: list[Row]) -> dict[str, Any]:
    """Return the documented shape of ``host check --json``."""
    survey = facts.survey
    return {
        "status": worst(found),
        "system": facts.system,
        "machine": facts.machine,
        "pythons": {path: f"{major}.{minor}" for path, (major, minor) in facts.pythons.items()},
        "engine": survey["engine"] or None,
        "compose": survey["compose"] or None,
        "ports": {port: holder or None for port, holder in survey["ports"].items()},
        "disk": survey["disk"],
        "memory": survey["memory"],
        "databases": survey["databases"],
        "skew_seconds": round(facts.skew, 1),
        "agent": _serving(facts) or None,
        "problems": [
            {
                "about": messages.text(row.name, {}, "en"),
                "value": row.value,
                "verdict": row.verdict,
                "remedy": row.advice("en"),
            }
            for row in found
            if row.verdict != "ok"
        ],
    }


def _python(facts: Facts) -> Row:
    try:
        chosen = choose(facts.pythons, facts.machine)
    except Misuse as error:
        shown = ", ".join(sorted({f"{major}.{minor}" for major, minor in facts.pythons.values()})) or "–"
        return Row("remote.row.python", shown, "bad", "remote.advice.said", (("said", error.message()),))
    return Row("remote.row.python", f"{chosen.dotted} ({chosen.path})")


def _engine(facts: Facts) -> Iterator[Row]:
    for name, oldest in (("engine", OLDEST_ENGINE), ("compose", OLDEST_COMPOSE)):
        version = str(facts.survey[name])
        if not version:
            yield Row(f"remote.row.{name}", "–", "bad", "remote.advice.install_docker")
        elif _number(version) < oldest:
            params = (("oldest", ".".join(map(str, oldest))),)
            yield Row(f"remote.row.{name}", version, "bad", "remote.advice.newer", params)
        else:
            yield Row(f"remote.row.{name}", version)


def _number(version: str) -> tuple[int, ...]:
    digits = [part for part in version.lstrip("v").replace("-", ".").replace("+", ".").split(".")[:2] if part.isdigit()]
    return tuple(int(part) for part in digits)


def _ports(facts: Facts) -> Iterator[Row]:
    for port, holder in facts.survey["ports"].items():
        if holder in ("", PROXY):
            yield Row(f"remote.row.port_{port}", holder or "–")
        else:
            yield Row(f"remote.row.port_{port}", holder, "warning", "remote.advice.port", (("port", port),))


def _disk(facts: Facts) -> Iterator[Row]:
    for path, usage in facts.survey["disk"].items():
        if usage is None:
            continue
        shown = f"{path}: {_size(usage['free'])} / {_size(usage['total'])}"
        low = usage["free"] < LEAST_DISK
        yield Row("remote.row.disk", shown, "warning" if low else "ok", "remote.advice.disk" if low else "")


def _size(number: int) -> str:
    return f"{number / 1024**3:.1f} GiB"


def _databases(facts: Facts) -> Iterator[Row]:
    for found in facts.survey["databases"]:
        yield Row("remote.row.database", f"{found['kind']} “{found['name']}”: {found['reached']}")
    if not facts.survey["databases"]:
        yield Row("remote.row.database", "–", "warning", "remote.advice.database")


def _clock(facts: Facts) -> Row:
    shown = f"{facts.skew:+.1f} s"
    if abs(facts.skew) > MOST_SKEW_S:
        return Row("remote.row.clock", shown, "warning", "remote.advice.clock")
    return Row("remote.row.clock", shown)


def _agent(facts: Facts) -> Row:
    serving = _serving(facts)
    return Row("remote.row.agent", serving) if serving else Row("remote.row.agent", "–", "ok", "remote.advice.agent")


def _agents_own(facts: Facts) -> Iterator[Row]:
    """What the agent finds by itself: its problems are ours, its warnings too."""
    found = facts.survey.get("platform") or {}
    told: tuple[tuple[str, Verdict], ...] = (("problems", "bad"), ("warnings", "warning"))
    for key, verdict in told:
        for item in found.get(key) or ():
            remedy = (("said", str(item.get("remedy", ""))),)
            yield Row("remote.row.agent", str(item.get("message", "")), verdict, "remote.advice.said", remedy)


def _serving(facts: Facts) -> str:
    return PurePosixPath(str(facts.state(layout.CURRENT).get("target") or "")).name
