"""The pieces of a report on GitHub: findings, the plan, what happened. Pure; what is foreign goes through markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent.model import messages
from bridge.reports import shapes
from bridge.reports.document import Part
from bridge.reports.github import CheckReport, Story
from bridge.reports.markdown import address, code, place, prose, row, table
from bridge.reports.model import DeploymentReport, PlanReport
from bridge.reports.text import clean, seconds
from bridge.reports.timeline import gantt

_SIGNS: Final = {"error": "❌", "warning": "⚠️", "info": "ℹ️"}
_STEPS: Final = {"done": "✅", "skipped": "–", "failed": "❌", "undone": "↩️"}
_NAMED: Final = 8
# People paste these into a shell, and the host said them.
_RELEASE: Final = re.compile("r-[0-9a-f]{12}")


class Words:
    """Sentences of the catalogue in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, name: str, /, **params: object) -> str:
        return messages.text(f"report.{name}", params, self.lang)

    def counted(self, name: str, count: int) -> str:
        """Return ``1 error`` or ``2 errors``."""
        return self(f"{name}.one" if count == 1 else f"{name}.many", count=count)

    def left_out(self, story: Story) -> Any:
        """Return what says how many rows are missing, and where all of them are."""
        where = f"[{self('log')}]({story.run.url})" if story.run.url else self("log")
        return lambda count: self("more", count=count, where=where)


def findings(story: Story, say: Words) -> list[Part]:
    """Return the findings, the worst first."""
    check = story.check
    if check is None:
        return []
    head = f"### {say('findings')}: {tally(check, say)}"
    if not check["findings"]:
        return [Part(head)]
    run = story.run
    base = f"{run.server}/{run.repository}/blob/{run.commit}" if run.repository and run.commit else ""
    heads = table(["", say("head.rule"), say("head.where"), say("head.what"), say("head.fix")])
    rows = tuple(_finding(item, base) for item in check["findings"])
    return [Part(f"{head}\n\n{heads}", rows, more=say.left_out(story))]


def tally(check: CheckReport, say: Words) -> str:
    """Return ``2 errors, 1 warning``."""
    counts = [(name, check["counts"].get(name, 0)) for name in ("error", "warning", "info")]
    return ", ".join(say.counted(name, count) for name, count in counts if count) or say("nothing_found")


def _finding(item: Mapping[str, Any], base: str) -> str:
    where = place(base, str(item.get("file", "")), int(item.get("line") or 1))
    return row([_SIGNS.get(str(item.get("severity")), ""), code(item.get("rule", "")), where,
                prose(item.get("message", "")), prose(item.get("fix", ""))])  # fmt: skip


def plan(story: Story, say: Words) -> list[Part]:
    """Return what a deployment would do, in one sentence and then line by line, and what would stop it."""
    parts = [Part(f"### {say('plan')}")]
    if error := story.plan_error:
        parts.append(Part(f"{say('no_plan')} {prose(error['message'])}\n{prose(error['remedy'])}".rstrip()))
    if story.plan is None:
        return parts if story.plan_error else []
    parts.append(Part(plan_sentence(story.plan, say)))
    problems = plan_problems(story.plan)
    if problems:
        parts.append(Part(f"**{say('refused')}**\n", tuple(f"- {prose(item)}" for item in problems),
                          more=say.left_out(story)))  # fmt: skip
    warnings = migrations.get("warnings") if (migrations := story.plan["migrations"]) else None
    if warnings:
        parts.append(Part("", tuple(f"- ⚠️ {prose(item)}" for item in warnings), more=say.left_out(story)))
    lines = [*((story.plan["host"] or {}).get("lines") or []), *_migration_lines(story.plan, say)]
    if lines:
        parts.append(_folded(say("details"), [f"- {prose(line)}" for line in lines], story, say))
    return parts


def plan_problems(report: PlanReport) -> list[str]:
    """Return every reason why the host would refuse, as sentences with what to do."""
    host, migrations = report["host"] or {}, report["migrations"]
    said = [f"{item.get('message', '')} {item.get('remedy') or ''}".strip() for item in host.get("problems") or []]
    return [*said, *(migrations["problems"] if migrations else [])]


def plan_sentence(report: PlanReport, say: Words) -> str:
    """Return ``builds 2 of 5 images, reuses 3; 1 migration; restarts api; the rest is untouched``."""
    images = report["images"]
    built = sum(image["build"] for image in images.values())
    parts = [say("plan.builds", count=built, all=len(images), kept=len(images) - built)] if built else []
    if images and not built:
        parts.append(say("plan.reuses", count=len(images)))
    if report["host"] is None:
        return "; ".join([*parts, say("plan.later")]) + "."
    if (migrations := report["migrations"]) is not None:
        parts.append(say.counted("plan.migration", len(migrations["pending"])) + _breaking(migrations, say))
    return "; ".join([*parts, *_moves(report["host"].get("services") or [], say)]) + "."


def _breaking(migrations: Mapping[str, Any], say: Words) -> str:
    """Say what the guard-rails know; an older host knows nothing, and then nothing is said."""
    if not migrations["pending"] or "breaking" not in migrations:
        return ""
    breaking = [str(name) for name in migrations["breaking"]]
    return f", {say('plan.breaking', names=_names(breaking, say))}" if breaking else f", {say('plan.compatible')}"


def _moves(services: Sequence[Mapping[str, Any]], say: Words) -> list[str]:
    """Return what happens to the services, those that stop for a moment apart from those that do not."""
    changing = [item for item in services if item.get("action") != "unchanged"]
    if not changing:
        return [say("plan.untouched.all")] if services else []
    groups: dict[tuple[str, str], list[str]] = {}
    for item in changing:
        gap = _gap(item, say)
        kind = f"plan.{prose(item.get('action', ''), 40)}" + (".gap" if gap else "")
        groups.setdefault((kind, gap), []).append(str(item.get("service")))
    said = [say(kind, services=_names(names, say), gap=gap) for (kind, gap), names in groups.items()]
    return [*said, say("plan.untouched")] if len(changing) < len(services) else said


def _gap(item: Mapping[str, Any], say: Words) -> str:
    """Return for how long a service is expected not to be there, or nothing where it stays."""
    if item.get("how") != "stop-first" or item.get("action") not in ("replaced", "restarted"):
        return ""
    known = shapes.number(item.get("gap_seconds"))
    if known <= 0:
        return say("plan.gap.unknown")
    return say("plan.gap.measured" if item.get("gap_measured") else "plan.gap.at_most", seconds=seconds(known))


def _names(names: Sequence[str], say: Words) -> str:
    shown = ", ".join(code(name, 80) for name in names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} {say('and_more', count=len(names) - _NAMED)}"


def _migration_lines(report: PlanReport, say: Words) -> list[str]:
    migrations = report["migrations"]
    return [say("plan.applies", name=name) for name in (migrations["pending"] if migrations else [])]


def outcome(story: Story, say: Words) -> list[Part]:
    """Return what happened: the ending in one sentence, the error, each step, the timeline, the way back."""
    end = story.end
    if end is None:
        return _under_way(story, say)
    parts = [Part(f"### {say('result')}"), Part(ending(end, say)), *_error(end, say), *_warnings(end, story, say)]
    if end["status"] == "RUNNING" and story.start is not None:
        parts.append(Part(fenced(attach_command(story, story.start.operation))))
    if end["steps"]:
        heads = table([say("head.step"), "", say("head.time"), say("head.detail")])
        parts.append(Part(heads, tuple(_step(step) for step in end["steps"]), more=say.left_out(story)))
    if end["services"]:
        rows = [f"- {code(name)}: {_service(item, say)}" for name, item in sorted(end["services"].items())]
        parts.append(_folded(say("services"), rows, story, say))
    if end["routes"]:
        parts.append(Part(f"{say('routes')}\n", tuple(f"- {address(url)}" for url in end["routes"]),
                          more=say.left_out(story)))  # fmt: skip
    if back := way_back(end, say):
        parts.append(Part(back))
    if diagram := gantt(end, (say("here"), say("there"))):
        parts.append(Part(diagram, whole=True))
    return parts


def ending(end: DeploymentReport, say: Words) -> str:
    """Return one true sentence for each ending; an unknown one is shown as the host said it."""
    name = f"ending.{end['status']}{_variant(end)}"
    known = f"report.{name}" in messages.catalogue()
    said = say(name if known else "ending.other", status=code(end["status"]), previous=code(end["previous"] or ""),
               release=code(end["release"] or "–"), time=seconds(end["seconds"]))  # fmt: skip
    return f"{said} {prose(end['message'])}" if end["status"] == "HEALTHY" and end["message"] else said


def _variant(end: DeploymentReport) -> str:
    """Return which of several sentences for the same status is the true one."""
    if end["status"] == "FAILED" and not end["operation"]:
        return ".unsent"
    if end["status"] == "ROLLED_BACK" and not end["previous"]:
        return ".first"
    lost = end["error"] is not None and end["error"]["id"] == "remote.detached"
    return ".left" if end["status"] == "RUNNING" and not lost else ""


def _error(end: DeploymentReport, say: Words) -> list[Part]:
    error = end["error"]
    if error is None:
        return []
    lines = str(error.get("message") or "").splitlines() or [""]
    quoted = [f"> {prose(line, 1000)}  " for line in lines if line.strip()]
    where = f" ({code(error['step'])})" if error.get("step") else ""
    remedy = error.get("remedy")
    tail = f"\n**{say('remedy')}** {prose(remedy, 1000)}" if remedy else ""
    return [Part(f"**{code(error.get('id', ''))}**{where}\n", tuple(quoted), tail, more=lambda n: f"> … (+{n})")]


def _warnings(end: DeploymentReport, story: Story, say: Words) -> list[Part]:
    rows = tuple(f"- ⚠️ {prose(item.get('message', ''), 1000)}" for item in end["warnings"])
    return [Part(f"**{say('warnings')}**\n", rows, more=say.left_out(story))] if rows else []


def _step(step: Mapping[str, Any]) -> str:
    status = str(step.get("status", ""))
    took = seconds(float(step.get("seconds") or 0.0))
    return row([code(step.get("name", "")), _STEPS.get(status, code(status)), took, prose(step.get("detail", ""))])


def _service(item: Mapping[str, Any], say: Words) -> str:
    words = [prose(item.get(key, ""), 100) for key in ("action", "state")]
    cut = [say.counted("cut", item["cut"])] if isinstance(item.get("cut"), int) else []
    gap = [say("plan.gap.measured", seconds=seconds(item["gap"]))] if isinstance(item.get("gap"), int | float) else []
    return ", ".join([*(word for word in words if word), *gap, *cut])


def _under_way(story: Story, say: Words) -> list[Part]:
    """A report that stays like this when the runner is killed, so it says how to see what became of it."""
    start = story.start
    if start is None:
        return []
    said = say(f"under_way.{start.kind}", release=code(start.release or "–"))
    return [Part(f"### {say('result')}"), Part(f"{said}\n\n{fenced(attach_command(story, start.operation))}")]


def way_back(end: DeploymentReport, say: Words) -> str:
    """Return the exact command that brings the previous release back, where there is one to go back to."""
    previous = end["previous"] or ""
    if end["status"] != "HEALTHY" or previous == end["release"] or not _RELEASE.fullmatch(previous):
        return ""
    command = f"python -m bridge rollback --app {end['app']}{_env(end['environment'])} --to {previous}"
    return f"{say('back')}\n\n{fenced(command)}"


def attach_command(story: Story, operation: str) -> str:
    """Return what to type to follow the operation."""
    return f"python -m bridge attach {operation} --app {story.target.app}{_env(story.target.environment)}"


def fenced(command: str) -> str:
    """Return a command as a block with a button to copy it."""
    return f"```sh\n{clean(command).replace('`', '')}\n```"


def _env(environment: str) -> str:
    return "" if environment == "production" else f" --env {environment}"


def _folded(title: str, rows: Sequence[str], story: Story, say: Words) -> Part:
    """Return rows that unfold at a click; a note about missing ones stands below, outside."""
    return Part(f"<details><summary>{title}</summary>\n", tuple(rows), "\n</details>", say.left_out(story))
