"""``apps.list``: every app on this host that the key may act on. Standard library only."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.docker.engine import PROJECT
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.releases import observe, records, status
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return ``apps``, by name: release, status, since, number of services, public names."""
    folders = sorted(call.paths.apps.glob("*/"))
    sites = [Site.of(call, target) for folder in folders if (target := Target.of_folder(folder.name)) is not None]
    mine = [site for site in sites if call.grant.may_act_on(site.target)]
    try:
        running = _by_project(sites[0]) if sites else {}
        warnings = []
    except IkomaError as error:
        running, warnings = None, [error.to_json(call.lang)]
    return {"apps": [_shown(site, running) for site in mine], "warnings": warnings}


def _by_project(site: Site) -> dict[str, list[observe.Observed]]:
    """Return the containers of all projects, by one call of the Engine."""
    found: dict[str, list[observe.Observed]] = {}
    for item in site.engine.all_containers():
        found.setdefault(item["Labels"].get(PROJECT, ""), []).append(observe.observed(item))
    return found


def _shown(site: Site, running: dict[str, list[observe.Observed]] | None) -> dict[str, Any]:
    current = records.current(site)
    record = (records.record(site, current.release) or {}) if current else {}
    services = None if running is None else status.judge(record.get("services", {}), running.get(site.slug, []))
    return {
        "app": site.target.app,
        "environment": site.target.environment,
        "release": current.release if current else None,
        "status": status.told(current.status if current else None, services, records.down(site) is not None),
        "since": current.since if current else None,
        "services": len(record.get("services", {})),
        "routes": sorted(record.get("routes", {})),
    }
