"""Reports at the end of a command, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridge.reports.console import Console
from bridge.reports.model import DeploymentReport, MigrationPlan, PlanReport, StatusReport
from bridge.reports.text import clean, filled, headline, seconds, table

_DOWN: Final = frozenset({"stopped", "exited", "dead"})


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
        (
            say("head.release"),
            clean(report["release"] or "–") + (say("say.built_here") if report["built_here"] else ""),
        ),
        (say("head.status"), clean(report["status"] or "–")),
        (say("head.since"), clean(report["since"] or "–")),
        (say("head.operation"), _operation(report["operation"], console)),
    ]
    parts = (table(rows), _states(report["services"], console), _hint(report, console))
    return "\n\n".join(part for part in parts if part)


def _hint(report: StatusReport, console: Console) -> str:
    """What to type where nothing serves and nobody is at it."""
    if report["operation"]:
        return ""
    if report["release"] is None:
        return console.text("say.nothing_deployed")
    lasting = [value for value in report["services"].values() if not _ends_by_itself(value)]
    if not lasting or any(_state(value)[0] not in _DOWN for value in lasting):
        return ""
    environment = "" if report["environment"] == "production" else f" --env {report['environment']}"
    return console.text("say.stopped", command=f"python -m bridge call deploy.up --app {report['app']}{environment}")


def _ends_by_itself(service: Any) -> bool:
    return isinstance(service, Mapping) and service.get("kind") == "one-shot"


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
        lines = [*map(clean, host.get("lines") or []), *_pending(report["migrations"], console)]
        after = "\n".join([*lines, *_problems(host.get("problems") or [], console)])
    head = f"{report['app']} ({report['environment']})  {report['release'] or ''}".rstrip()
    return "\n\n".join(part for part in (head, table(rows, indent="  "), after) if part)


def _pending(migrations: MigrationPlan | None, console: Console) -> list[str]:
    if migrations is None:
        return []
    names = [clean(name) for name in migrations["pending"]]
    said = [console.text("say.plan_migrations", count=len(names), names=", ".join(names))] if names else []
    if breaking := migrations.get("breaking"):
        said.append(console.text("guard.breaking", names=", ".join(map(clean, breaking))))
    said += [f"! {clean(warning)}" for warning in migrations.get("warnings", [])]
    return [*said, *(f"✗ {clean(problem)}" for problem in migrations["problems"])]


def _problems(problems: list[dict[str, Any]], console: Console) -> list[str]:
    lines = []
    for problem in problems:
        lines.append(f"✗ {clean(problem.get('message', ''))}")
        if remedy := problem.get("remedy"):
            lines.append(f"  {console.text('say.remedy', remedy=clean(remedy))}")
    return lines
