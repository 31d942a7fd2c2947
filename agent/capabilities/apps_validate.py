"""``apps.validate``: contract, compose file, environment and ports are looked at before anything starts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, Final

from agent.capabilities.call import Call
from agent.host import envfile
from agent.host.files import read_json
from agent.model import contract, policy
from agent.model.errors import IkomaError, Misuse
from agent.model.release import parse
from agent.releases import folder, precheck, prepare, records, values
from agent.releases.folder import Found
from agent.releases.site import Site

CHECKS: Final = ("contract", "compose", "environment", "ports")
Problem = tuple[str, IkomaError]


def run(call: Call) -> dict[str, Any]:
    """Return ``valid``, ``checks`` (name → whether it is well), ``problems`` and the ``source`` that was looked at."""
    site, source, problems, known = Site.of(call, call.the_target), None, list[Problem](), ""
    try:
        found = folder.look(site)
        if found is None:
            raise Misuse("apps.no_compose", target=call.the_target, folder=site.home.base)
        source, known = found.source, json.dumps(found.document, ensure_ascii=False, default=str)
        released = records.current(site) is not None
        problems = list(_released(call, site) if released else _lying_there(call, site, found))
    except IkomaError as error:
        problems = [("compose", error)]
    shown = values.veil(site.home, known)
    failed = {name for name, _ in problems}
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "valid": not problems,
        "source": source,
        "checks": {name: name not in failed for name in CHECKS},
        "problems": shown([{"check": name, **_shown(error, call.lang)} for name, error in problems]),
    }


def _released(call: Call, site: Site) -> Iterator[Problem]:
    """Judge the release that serves as a deployment of it would."""
    current = records.current(site)
    try:
        release = parse(read_json(site.home.release(current.release if current else "") / records.MANIFEST, default={}))
    except Misuse as error:
        yield "contract", error
        return
    lacking = values.lacking(site.home, release)
    if lacking:
        yield "environment", values.problem(call.the_target, lacking)
    with values.standing_in(site, lacking) if lacking else nullcontext() as file:
        for problem in precheck.problems(site, release, file):
            yield _check_of(problem), problem


def _lying_there(call: Call, site: Site, found: Found) -> Iterator[Problem]:
    """Judge the compose file in the folder, and the contract beside it if there is one."""
    yield from _contract(site)
    if not found.services:
        yield "compose", Misuse("apps.no_services", file=site.home.compose)
        return
    known = envfile.read(site.home.app_env)
    lacking = [value.name for value in folder.values(found) if value.required and value.name not in known]
    if lacking:
        yield "environment", values.problem(call.the_target, lacking)
    with values.standing_in(site, lacking) if lacking else nullcontext() as file:
        document = {**found.document, "name": site.slug}
        unread = policy.unread(document, site.settings.allow, os.path.realpath)
        if unread:
            yield from (("compose", finding.error()) for finding in unread)
            return
        normalised = prepare.interpolate(site, document, file)
    folders = [str(site.home.base)]
    for finding in policy.judge(normalised, site.slug, folders, site.settings.allow, os.path.realpath):
        yield "compose", finding.error()
    for error in precheck.published(site, normalised):
        yield "ports", error


def _contract(site: Site) -> Iterator[Problem]:
    file = site.home.base / contract.FILE
    if not file.exists():
        return
    try:
        loaded = contract.load(file.read_text(errors="replace"), str(file))
    except Misuse as error:
        yield "contract", error
        return
    if loaded.app != site.target.app:
        yield "contract", Misuse("apps.other_contract", file=file, found=loaded.app, app=site.target.app)


def _check_of(error: IkomaError) -> str:
    return "ports" if error.id.startswith(("port.", "proxy.", "route.")) else "compose"


def _shown(error: IkomaError, lang: str) -> dict[str, str]:
    return {"id": error.id, "message": error.message(lang), "remedy": error.remedy(lang)}
