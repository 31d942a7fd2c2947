"""``deploy.plan``: what ``deploy.apply`` would do with a release, and everything that would stop it."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.model import release as releases
from agent.model.errors import Misuse
from agent.releases import precheck, prepare, records
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return ``services`` (one move each), ``lines`` for people, ``pull`` (images missing here) and ``problems``."""
    site = Site.of(call, call.the_target)
    release = _manifest(call)
    problems = precheck.problems(site, release)
    plan = None
    if not any(problem.id == "compose.invalid" for problem in problems):
        plan = prepare.compare(site, prepare.prepare(site, release), call.args.get("accept") or ())
    current = records.current(site)
    images = sorted({service.image for service in release.services.values()})
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "release": release.id,
        "current": current.release if current else None,
        "services": plan.to_json() if plan else [],
        "lines": plan.render(call.lang) if plan else [],
        "pull": [image for image in images if site.engine.image(image) is None],
        "routes": release.routes,
        "problems": [problem.to_json(call.lang) for problem in problems],
    }


def _manifest(call: Call) -> releases.Release:
    manifest = call.args.get("manifest")
    if not isinstance(manifest, dict):
        raise Misuse("wire.missing_argument", capability="deploy.plan", argument="manifest")
    release = releases.parse(manifest)
    if release.target != call.the_target:
        raise Misuse("release.other", found=f"{release.id} ({release.target})", wanted=str(call.the_target))
    return release
