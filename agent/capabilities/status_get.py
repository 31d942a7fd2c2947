"""``status.get``: what serves, and what runs."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.host.files import read_json
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.operations.journal import Journal, Operation
from agent.releases import records, status
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return the documented object: release, status, since, services, and the running operation or null.

    ``status`` is the truth of this moment: ``HEALTHY``, ``DEGRADED`` when something that should run is not well,
    ``STOPPED`` after ``deploy.down``, ``UNKNOWN`` when the Engine does not answer (a warning, not a failure: what is
    recorded can still be told).
    """
    target = call.the_target
    services, warnings = _services(call, target)
    current = read_json(call.paths.target(target).current, default={})
    return {
        "app": target.app,
        "environment": target.environment,
        "release": current.get("release"),
        "previous": current.get("previous"),
        "status": status.told(current.get("status"), services, records.down(Site.of(call, target)) is not None),
        "since": current.get("since"),
        "built_here": records.built_here(Site.of(call, target)),
        "services": services or {},
        "operation": _running(call, target),
        "warnings": warnings,
    }


def _services(call: Call, target: Target) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    try:
        return status.services(Site.of(call, target)), []
    except IkomaError as error:
        return None, [error.to_json(call.lang)]


def _running(call: Call, target: Target) -> dict[str, Any] | None:
    with Journal(call.paths) as journal:
        found = journal.unfinished(target.slug)
        working = [one for one in found if one.status == "RUNNING"] or found
        return _shown(journal, working[0]) if working else None


def _shown(journal: Journal, one: Operation) -> dict[str, Any]:
    steps = [row.name for row in journal.steps(one.id)]
    return {
        "id": one.id,
        "capability": one.capability,
        "status": one.status,
        "since": one.started or one.created,
        "client": one.client,
        "step": steps[-1] if steps else None,
    }
