"""What the supervised unit puts right: what should run runs, and every live service can be found by the proxy.

An engine that was killed, or whose host lost power, counts the containers it finds as stopped by hand and leaves them
so. A hand-typed ``docker compose up`` that makes a container anew loses the name that only the agent gives.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from agent.model.errors import IkomaError
from agent.releases import networks, observe, proxy, records, switch
from agent.releases.plan import ORDER
from agent.releases.site import Site

LASTING: Final = ("always", "unless-stopped")
"""Restart policies of containers that stand still only because somebody, or a crash of the engine, stopped them."""


def reconcile(site: Site) -> list[str]:
    """Put right what a target needs; return the services that stood still or could not be found before.

    The caller holds the target's lock. A target that was stopped on purpose is left alone.

    Raises:
        IkomaError: what kept a container from starting, after everything else was put right.
    """
    current = records.current(site)
    record = records.record(site, current.release) if current else None
    if record is None or records.down(site) is not None:
        return []
    woken, fault = _wake(site, record["services"])
    found = {*woken, *_found_again(site, record)}
    if fault is not None:
        raise fault
    return sorted(found)


def asleep(recorded: dict[str, Any], containers: list[observe.Observed]) -> list[observe.Observed]:
    """Return the containers that stand still and are missed, in the order in which they start. Pure."""
    found = []
    for name, service in recorded.items():
        mine = [item for item in containers if item.service == name and item.hash == service.get("hash")]
        down = [item for item in mine if item.state in ("exited", "created")]
        missed = service.get("replicas", 1) - (len(mine) - len(down))
        if service.get("kind") != "one-shot" and missed > 0:
            found += down[-missed:]
    kinds = {name: ORDER.index(service["kind"]) for name, service in recorded.items()}
    return sorted(found, key=lambda item: (kinds[item.service], item.created))


def _wake(site: Site, recorded: dict[str, Any]) -> tuple[list[str], IkomaError | None]:
    """Start what is missed; one that cannot start does not keep the others down."""
    woken, fault = [], None
    for item in asleep(recorded, observe.containers(site.engine, site.slug)):
        policy = ((site.engine.container(item.id) or {}).get("HostConfig") or {}).get("RestartPolicy") or {}
        if policy.get("Name") not in LASTING:
            continue
        try:
            site.engine.start(item.id)
            woken.append(item.service)
        except IkomaError as error:
            fault = error
    return woken, fault


def _found_again(site: Site, record: dict[str, Any]) -> list[str]:
    """Make the proxy run and find every routed service; return those it could not find before."""
    routed = {str(upstream).rpartition(":")[0] for upstream in (record.get("routes") or {}).values()}
    running = [item for item in observe.containers(site.engine, site.slug) if item.state == "running"]
    candidates = [item for item in running if item.service in routed]
    if not candidates:
        return []
    networks.ensure_edge(site)
    proxy.ensure(site)
    proxy.join(site)
    named = [_named_again(site, service, record["services"].get(service, {}), candidates) for service in sorted(routed)]
    return [service for service in named if service]


def _named_again(site: Site, service: str, recorded: dict[str, Any], candidates: list[observe.Observed]) -> str:
    """Give the live name to each container of a service that should have it; return the service if one lacked it."""
    mine = [item for item in candidates if item.service == service]
    live = {item.id for item in mine if switch.is_live(site, item.id, service)}
    found = lost(recorded, mine, live)
    for item in found:
        switch.attach_live(site, item.id, service)
    return service if found else ""


def lost(recorded: dict[str, Any], running: list[observe.Observed], live: Collection[str]) -> list[observe.Observed]:
    """Return the containers of a service that the proxy should find and does not. Pure.

    Only what the record has, and no more of it than it says: while a worker is gone and nobody has taken its roll-out
    back yet, containers that have not passed their gate, and old ones that drain, stand beside those that serve.
    Where the proxy finds none at all, one whose health is not known yet is better than none.
    """
    own = [item for item in running if item.hash == recorded.get("hash") and item.id not in live]
    well = [item for item in own if item.well] or ([] if live else own)
    return well[: max(recorded.get("replicas", 1) - len(live), 0)]
