"""What the supervised unit puts right every 30 seconds: the proxy runs, and every live service can be found by it.

A hand-typed ``docker compose up`` that makes a container anew loses the name that only the agent gives.
"""

from __future__ import annotations

from agent.releases import networks, observe, proxy, records, switch
from agent.releases.site import Site


def reconcile(site: Site) -> list[str]:
    """Put right what a target's routes need; return the services that could not be found before.

    The caller holds the target's lock. A target without routes, or that was stopped, is left alone.
    """
    current = records.current(site)
    record = records.record(site, current.release) if current else None
    if record is None or not record.get("routes"):
        return []
    running = [item for item in observe.containers(site.engine, site.slug) if item.state == "running"]
    routed = {str(upstream).rpartition(":")[0] for upstream in record["routes"].values()}
    candidates = [item for item in running if item.service in routed]
    if not candidates:
        return []
    networks.ensure_edge(site)
    proxy.ensure(site)
    proxy.join(site)
    return [service for service in sorted(routed) if _found_again(site, service, candidates)]


def _found_again(site: Site, service: str, candidates: list[observe.Observed]) -> bool:
    """Give the live name to a service of which no container has it."""
    mine = [item for item in candidates if item.service == service]
    if any(switch.is_live(site, item.id, service) for item in mine):
        return False
    well = [item for item in mine if item.well] or mine
    for item in well:
        switch.attach_live(site, item.id, service)
    return bool(well)
