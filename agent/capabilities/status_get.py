"""``status.get``: what serves, and what runs."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.host.files import read_json
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.operations.journal import Journal, Operation
from agent.releases import status
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return the documented object: release, status, since, services, and the running operation or null.

    An Engine that does not answer is a warning, not a failure: what is recorded can still be told.
    """
    target = call.the_target
    services, warnings = _services(call, target)
    current = read_json(call.paths.target(target).current, default={})
    return {
        "app": target.app,
        "environment": target.environment,
        "release": current.get("release"),
        "previous": current.get("previous"),
        "status": current.get("status"),
        "since": current.get("since"),
        "services": services,
        "operation": _running(call, target),
        "warnings": warnings,
    }


def _services(call: Call, target: Target) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        return status.services(Site.of(call, target)), []
    except IkomaError as error:
        return {}, [error.to_json(call.lang)]


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
