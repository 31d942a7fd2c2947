"""What runs of a target, for people and programs that ask. Standard library only."""

from __future__ import annotations

from typing import Any

from agent.releases import observe, records
from agent.releases.site import Site


def services(site: Site) -> dict[str, dict[str, Any]]:
    """Return each service of the release that serves, and what else runs under the target's name.

    ``state`` is the health where a health check is declared, else the container's state; ``stopped`` when there is
    no container.
    """
    current = records.current(site)
    record = (records.record(site, current.release) or {}) if current else {}
    found = judge(record.get("services", {}), observe.containers(site.engine, site.slug))
    return dict(sorted(found.items()))


def judge(recorded: dict[str, Any], containers: list[observe.Observed]) -> dict[str, dict[str, Any]]:
    """Return the state of each service. Pure."""
    by_service: dict[str, list[observe.Observed]] = {name: [] for name in recorded}
    for item in containers:
        by_service.setdefault(item.service, []).append(item)
    return {name: _service(recorded.get(name, {}), items) for name, items in by_service.items()}


def _service(recorded: dict[str, Any], items: list[observe.Observed]) -> dict[str, Any]:
    shown = _telling(recorded, items)
    return {
        "state": _state(recorded, shown),
        "containers": sum(item.state == "running" for item in items),
        "image": shown.image if shown else recorded.get("image", ""),
        "tag": recorded.get("tag", ""),
        "kind": recorded.get("kind", ""),
        "as_recorded": bool(items) and all(item.hash == recorded.get("hash") for item in items),
    }


def _telling(recorded: dict[str, Any], items: list[observe.Observed]) -> observe.Observed | None:
    """Return the container whose state is the service's: the first that is not well; what is only tried does not count.

    None where a container is missing altogether.
    """
    mine = [item for item in items if item.hash == recorded.get("hash")] or items
    running = [item for item in mine if item.state == "running"]
    still = [item for item in mine if item.state != "running"]
    if recorded.get("kind") == "one-shot" or len(running) < recorded.get("replicas", 1):
        return still[-1] if still else running[0] if recorded.get("kind") == "one-shot" and running else None
    return next((item for item in running if not item.well), running[0])


def _state(recorded: dict[str, Any], shown: observe.Observed | None) -> str:
    if shown is None:
        return "stopped"
    if recorded.get("kind") == "one-shot" and shown.finished:
        return "completed"
    return shown.health or shown.state


def told(recorded: str | None, services: dict[str, dict[str, Any]] | None, stopped: bool) -> str | None:
    """Return the status of a target as it is, not as it was when its deployment ended. Pure.

    Args:
        recorded: how the deployment that serves ended; None before the first one.
        services: the states of its services; None when the Engine does not answer.
        stopped: somebody wants it to stand still.
    """
    if recorded != "HEALTHY":
        return recorded
    if services is None:
        return "UNKNOWN"
    found = healthy(services)
    if found == "healthy":
        return recorded
    return "STOPPED" if stopped and found == "stopped" else "DEGRADED"


def healthy(states: dict[str, dict[str, Any]]) -> str:
    """Return ``healthy``, ``starting``, ``unhealthy`` or ``stopped`` for the target as a whole. Pure.

    One-shots did their work when the release was deployed; one that was cleared away since is missed by nobody.
    """
    lasting = [service for service in states.values() if service.get("kind") != "one-shot"]
    found = {service["state"] for service in lasting or states.values()}
    if not found or found <= {"stopped", "exited"}:
        return "stopped"
    if found <= {"healthy", "running", "completed"}:
        return "healthy"
    return "starting" if found <= {"healthy", "running", "completed", "starting", "created"} else "unhealthy"
