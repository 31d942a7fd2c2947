"""``deploy.plan``: what ``deploy.apply`` would do with a release, and everything that would stop it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from agent.capabilities.call import Call
from agent.model import messages
from agent.model import release as releases
from agent.model.errors import IkomaError, Misuse
from agent.model.release import Release
from agent.releases import precheck, prepare, records, values
from agent.releases.plan import Plan
from agent.releases.site import Site

_Compared = tuple[list[IkomaError], Plan | None, list[str]]
"""What stops a release, what it would do, and what people should know beside that."""


def run(call: Call) -> dict[str, Any]:
    """Return ``services`` (one move each), ``lines`` for people, ``pull`` (images missing here) and ``problems``.

    ``migrations`` holds the names that are ``pending`` and, as sentences, the ``problems`` the database would make;
    of the files whose text came along (``sql``: name to text) also the ``findings`` of the guard-rails, and which are
    ``breaking``: the release that serves may not live with them; ``closed`` are those for which maintenance mode would
    close the app.
    """
    site = Site.of(call, call.the_target)
    release = _manifest(call)
    problems, plan, notes = _containers(call, site, release)
    current = records.current(site)
    pending = _migrations(call, release)
    saving = _restore_point(call, release) if pending["pending"] else {"lines": [], "problems": []}
    shown = values.veil(site.home, release.model_dump_json())
    images = sorted({service.image for service in release.services.values()})
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "release": release.id,
        "current": current.release if current else None,
        "services": shown(plan.to_json() if plan else []),
        "lines": shown([*(plan.render(call.lang) if plan else []), *notes, *_closing(call, pending), *saving["lines"]]),
        "pull": [image for image in images if site.engine.image(image) is None],
        "routes": release.routes,
        "migrations": pending,
        "restore_point": saving.get("estimate"),
        "problems": shown(
            [problem.about(call.the_target.options).to_json(call.lang) for problem in [*problems, *saving["problems"]]]
        ),
    }


def _manifest(call: Call) -> Release:
    manifest = call.args.get("manifest")
    if not isinstance(manifest, dict):
        raise Misuse("wire.missing_argument", capability="deploy.plan", argument="manifest")
    release = releases.parse(manifest)
    if release.target != call.the_target:
        raise Misuse("release.other", found=f"{release.id} ({release.target})", wanted=str(call.the_target))
    return release


def _containers(call: Call, site: Site, release: Release) -> _Compared:
    """Compare with what runs. A made-up word stands in for each missing value, or compose would say nothing else."""
    lacking = values.lacking(site.home, release)
    missing = [name for name in lacking if name not in _provided(call, release)]
    with values.standing_in(site, lacking) if lacking else nullcontext() as file:
        found, plan, notes = _compared(call, site, release, file)
    if not lacking:
        return found, plan, notes
    named = [values.problem(call.the_target, missing)] if missing else []
    return [*named, *(problem for problem in found if problem.id != "compose.invalid")], plan, notes


def _compared(call: Call, site: Site, release: Release, file: Path | None) -> _Compared:
    accept = [str(word) for word in call.args.get("accept") or ()]
    problems = precheck.problems(site, release, file, accept)
    try:
        prepared = prepare.prepare(site, release, file, keep=False)
    except IkomaError:  # it is among the problems
        return problems, None, []
    plan = prepare.compare(site, prepared, accept)
    return problems, plan, [] if plan.nothing_to_do else prepared.notes(call.lang)


def _provided(call: Call, release: Release) -> tuple[str, ...]:
    """Return the names of values that a deployment writes itself: it makes the database first."""
    from agent.operations.steps import provision

    home = call.paths.target(call.the_target)
    return (provision.APP_KEY,) if provision.makes(call.settings, home, release) else ()


def _restore_point(call: Call, release: Release) -> dict[str, Any]:
    """Estimate what saving the database first would take; a database that is not there needs no saving."""
    from agent.database.backup import outlook

    try:
        return outlook.of(call, release, call.lang)
    except IkomaError:  # it is among the problems of the migrations
        return {"lines": [], "problems": []}


def _migrations(call: Call, release: Release) -> dict[str, Any]:
    """Compare the manifest with the ledger, by checksum; what of the files themselves was sent along is judged."""
    if not release.migrations:
        return {"pending": [], "problems": [], "findings": [], "breaking": [], "closed": []}
    from agent.database import forecast
    from agent.model.guardrails import breaking

    sent, accept = call.args.get("sql"), [str(name) for name in call.args.get("accept") or ()]
    texts = {str(name): str(text) for name, text in sent.items()} if isinstance(sent, dict) else {}
    found = forecast.of(call.paths.target(call.the_target), call.settings, release, texts, accept)
    said = [f"{problem.message(call.lang)} {problem.remedy(call.lang)}".rstrip() for problem in found.problems]
    return {
        "pending": [item.removesuffix(".sql") for item in found.pending],
        "problems": said,
        "findings": [item.to_json(call.lang) for item in found.findings],
        "breaking": breaking(found.findings),
        "closed": list(found.closed),
    }


def _closing(call: Call, pending: dict[str, Any]) -> list[str]:
    """Say for which migrations the app would be closed."""
    names = ", ".join(pending["closed"])
    return [messages.text("maintenance.planned", {"names": names}, call.lang)] if names else []
