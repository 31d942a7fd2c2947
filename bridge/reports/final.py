"""Reports at the end of a command, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.reports.console import Console
from bridge.reports.model import DeploymentReport, PlanReport, StatusReport
from bridge.reports.text import clean, filled, headline, seconds, table


def deployment(report: DeploymentReport, console: Console) -> str:
    """Return the closing table of a deployment: what, where, how it ended, each service, the routes."""
    say = console.text
    rows = [(say("head.app"), f"{report['app']} ({report['environment']})")]
    if report["release"]:
        before = f"  ({say('say.previous', release=report['previous'])})" if report["previous"] else ""
        rows.append((say("head.release"), f"{report['release']}{before}"))
    rows.append(
        (say("head.status"), " · ".join(headline(part) for part in (report["status"], report["message"]) if part))
    )
    if migrations := _migrations(report, console):
        rows.append((say("head.migrations"), migrations))
    rows += [(say("head.routes") if first else "", clean(url)) for first, url in _first(report["routes"])]
    if report["operation"]:
        rows.append((say("head.operation"), report["operation"]))
    rows.append((say("head.seconds"), seconds(report["seconds"])))
    return "\n\n".join(part for part in (table(rows), _services(report, console), _back(report, console)) if part)


def _back(report: DeploymentReport, console: Console) -> str:
    """After a release that replaced another: how to return to that one."""
    former = report["previous"] not in (None, report["release"]) and report["status"] == "HEALTHY"
    actions = {service.get("action") for service in report["services"].values()}
    if not former or not (actions & {"started", "replaced", "removed"} or report["migrations"]["applied"]):
        return ""
    environment = "" if report["environment"] == "production" else f" --env {report['environment']}"
    return console.text("say.back", command=f"python -m bridge rollback --app {report['app']}{environment}")


def _migrations(report: DeploymentReport, console: Console) -> str:
    counts = report["migrations"]
    parts = [(counts["applied"], "head.applied"), (counts["pending"], "head.pending")]
    return ", ".join(console.text(head, count=len(names)) for names, head in parts if names)


def _services(report: DeploymentReport, console: Console) -> str:
    names = sorted(report["services"].keys() | report["images"].keys())
    if not names:
        return ""
    heads = [console.text(f"head.{name}") for name in ("service", "action", "state", "image")]
    return table(filled([heads, *(_service(name, report, console) for name in names)]), indent="  ")


def _service(name: str, report: DeploymentReport, console: Console) -> list[str]:
    service: Mapping[str, Any] = report["services"].get(name, {})
    image = report["images"].get(name)
    origin = "" if image is None else console.text("say.built" if image["built"] else "say.reused")
    return [clean(name), word(str(service.get("action", "")), console), clean(service.get("state", "")), origin]


def word(value: str, console: Console) -> str:
    """Return one word of the wire in the language of people."""
    said = console.text(f"word.{value}")
    return clean(value) if said.startswith("word.") else said


def _first(items: list[str]) -> list[tuple[bool, str]]:
    return [(index == 0, item) for index, item in enumerate(items)]


def status(report: StatusReport, console: Console) -> str:
    """Return the status table: what serves, since when, what runs."""
    say = console.text
    rows = [
        (say("head.app"), f"{report['app']} ({report['environment']})"),
        (say("head.release"), clean(report["release"] or "–")),
        (say("head.status"), clean(report["status"] or "–")),
        (say("head.since"), clean(report["since"] or "–")),
        (say("head.operation"), _operation(report["operation"], console)),
    ]
    nothing = say("say.nothing_deployed") if report["release"] is None and not report["operation"] else ""
    return "\n\n".join(part for part in (table(rows), _states(report["services"], console), nothing) if part)


def _operation(operation: dict[str, Any] | None, console: Console) -> str:
    if not operation:
        return console.text("say.no_operation")
    words = [operation.get("capability"), operation.get("step"), operation.get("since"), operation.get("id")]
    return "  ".join(clean(value) for value in words if value)


def _states(services: Mapping[str, Any], console: Console) -> str:
    if not services:
        return ""
    heads = [console.text("head.service"), console.text("head.state"), console.text("head.image")]
    return table([heads, *([clean(name), *_state(value)] for name, value in sorted(services.items()))], indent="  ")


def _state(value: Any) -> list[str]:
    if not isinstance(value, Mapping):
        return [clean(value), ""]
    return [clean(value.get("state", "")), clean(value.get("tag") or value.get("image") or "")]


def plan(report: PlanReport, console: Console) -> str:
    """Return a plan: each image, then what the host would do, then what would stop it."""
    rows = [
        (clean(name), image["tag"], console.text("say.would_build" if image["build"] else "say.reused"))
        for name, image in report["images"].items()
    ]
    host = report["host"]
    if host is None:
        after = console.text("say.plan_later")
    else:
        after = "\n".join([*map(clean, host.get("lines") or []), *_problems(host.get("problems") or [], console)])
    head = f"{report['app']} ({report['environment']})  {report['release'] or ''}".rstrip()
    return "\n\n".join(part for part in (head, table(rows, indent="  "), after) if part)


def _problems(problems: list[dict[str, Any]], console: Console) -> list[str]:
    lines = []
    for problem in problems:
        lines.append(f"✗ {clean(problem.get('message', ''))}")
        if remedy := problem.get("remedy"):
            lines.append(f"  {console.text('say.remedy', remedy=clean(remedy))}")
    return lines
