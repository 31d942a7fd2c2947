"""Names on networks: starting a container unseen, letting it be seen, and hiding one before it stops.

Docker's DNS hands out a container from the moment it starts, healthy or not. So a new container is taken off its
networks before it starts and put back without any name; after its gate it is put back under its names at the same
address, which keeps the connections it already holds. (docs/adr/0004-roll-out-by-alias.md)
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agent.docker.engine import Engine, EngineError
from agent.releases import networks
from agent.releases.site import Site

LAST_CALLERS: Final = 0.3
"""Seconds between taking a container's names and asking it to stop."""

Names = Mapping[str, list[str]]
"""Network → the names a container has on it."""


def names_on(normalised: Mapping[str, Any], service: str) -> dict[str, list[str]]:
    """Return the names compose gives to a service on each of its networks (by the networks' real names)."""
    declared = normalised["services"][service].get("networks") or {}
    return {
        str(normalised["networks"][key]["name"]): [service, *((value or {}).get("aliases") or [])]
        for key, value in declared.items()
    }


def hide_new(engine: Engine, container: str) -> None:
    """Give a container that has not started an address of its own and no name on each of its networks."""
    inspected = engine.container(container) or {}
    for name in inspected["NetworkSettings"]["Networks"]:
        network = engine.network(name)
        address = networks.free_address(network, _held(engine)) if network else None
        _reconnect(engine, name, container, [], address)


def rename(engine: Engine, container: str, names: Names, addresses: Mapping[str, str] | None = None) -> None:
    """Put a container under other names (none: ``[]``) on each of these networks, at the same address.

    Args:
        addresses: the address it had on a network that it is not on any more.
    """
    inspected = engine.container(container)
    if inspected is None:
        return
    for network, aliases in names.items():
        endpoint = inspected["NetworkSettings"]["Networks"].get(network) or {}
        if endpoint and sorted(own_names(endpoint, container)) == sorted(aliases):
            continue
        address = endpoint.get("IPAddress") or (addresses or {}).get(network) or None
        _reconnect(engine, network, container, list(aliases), address)


def hide_running(engine: Engine, containers: Iterable[str], edge: str) -> None:
    """Take all names from containers that still answer; what they are answering, they finish.

    Who asked for their address just before gets a moment to use it.

    Args:
        edge: the network over which the reverse proxy asks them.
    """
    hidden = False
    for container in containers:
        inspected = engine.container(container)
        if inspected is not None and inspected["State"]["Running"]:
            _unname(engine, container, inspected["NetworkSettings"]["Networks"], edge)
            hidden = True
    if hidden:
        time.sleep(LAST_CALLERS)


def _unname(engine: Engine, container: str, endpoints: Mapping[str, Any], edge: str) -> None:
    """Connect a container anew without names. The way in goes first and comes back last.

    The proxy goes on asking over the connections it has: a container that is asked must be able to ask others.
    """
    named = [network for network, endpoint in endpoints.items() if own_names(endpoint, container)]
    order = sorted(named, key=lambda network: network != edge)
    for network in order:
        engine.disconnect(network, container)
    for network in reversed(order):
        _connect(engine, network, container, [], endpoints[network].get("IPAddress") or None)


def _reconnect(engine: Engine, network: str, container: str, aliases: list[str], address: str | None) -> None:
    engine.disconnect(network, container)
    _connect(engine, network, container, aliases, address)


def _connect(engine: Engine, network: str, container: str, aliases: list[str], address: str | None) -> None:
    """Connect at this address where the Engine lets one choose (a network that was made without a subnet: no)."""
    try:
        engine.connect(network, container, aliases=aliases, address=address)
    except EngineError:
        if address is None:
            raise
        engine.connect(network, container, aliases=aliases)


def own_names(endpoint: Mapping[str, Any], container: str) -> list[str]:
    """Return the aliases of a container on one network, without the ones the Engine gives by itself."""
    return [alias for alias in endpoint.get("Aliases") or [] if not container.startswith(alias)]


def attach_live(site: Site, container: str, service: str) -> None:
    """Let the reverse proxy find a container. Being found already is fine."""
    endpoint = _on_edge(site, container)
    live = site.live(service)
    if endpoint is not None and live in (endpoint.get("Aliases") or []):
        return
    if endpoint is not None:
        site.engine.disconnect(site.edge, container)
    site.engine.connect(site.edge, container, aliases=[live])


def is_live(site: Site, container: str, service: str) -> bool:
    """Say whether the reverse proxy finds this container."""
    endpoint = _on_edge(site, container)
    return endpoint is not None and site.live(service) in (endpoint.get("Aliases") or [])


def _on_edge(site: Site, container: str) -> dict[str, Any] | None:
    inspected = site.engine.container(container) or {"NetworkSettings": {"Networks": {}}}
    found: dict[str, Any] | None = inspected["NetworkSettings"]["Networks"].get(site.edge)
    return found


def _held(engine: Engine) -> Iterable[str]:
    """Addresses that containers, running or not, were given by us."""
    for container in engine.all_containers():
        for endpoint in ((container.get("NetworkSettings") or {}).get("Networks") or {}).values():
            if address := (endpoint.get("IPAMConfig") or {}).get("IPv4Address"):
                yield address
