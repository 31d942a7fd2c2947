"""Addresses: a subnet for each network of a target, and a fixed address for a container that starts unseen.

The lower half of a subnet belongs to the agent, the upper half to the Engine (``ip_range``). A container that keeps
its address while it is taken off a network and put back under another name keeps its connections.
"""

from __future__ import annotations

import fcntl
import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from agent.host.files import read_json, write_json
from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.releases.site import Site

FILE: Final = "networks.json"
EDGE: Final = "edge"
PREFIX: Final = 24


def subnets(site: Site, names: Iterable[str]) -> dict[str, str]:
    """Return a subnet for each of the target's networks, the same one every time.

    Raises:
        IkomaError: ``network.exhausted`` when the host's address pool is used up.
    """
    wanted = list(names)
    file = site.home.base / FILE
    with _host_wide(site.paths):
        known: dict[str, str] = read_json(file, default={})
        missing = [name for name in wanted if name not in known]
        if missing:
            taken = _taken(site)
            for name in missing:
                known[name] = choose(site.settings.address_pool, taken)
                taken.append(known[name])
            write_json(file, known)
    return {name: known[name] for name in wanted}


def choose(pool: str, taken: Iterable[str]) -> str:
    """Return the first subnet of ``pool`` that overlaps none of ``taken``. Raises ``network.exhausted``."""
    used = [ipaddress.ip_network(item, strict=False) for item in taken]
    for candidate in ipaddress.ip_network(pool).subnets(new_prefix=PREFIX):
        if not any(candidate.overlaps(other) for other in used if other.version == candidate.version):
            return str(candidate)
    raise IkomaError("network.exhausted", pool=pool)


def free_address(network: dict[str, Any], taken: Iterable[str]) -> str | None:
    """Return an address that the Engine will not give to anybody else, or None when the network has none.

    Args:
        network: the Engine's description of the network, with its members.
        taken: addresses that stopped containers hold on to.
    """
    config = next((item for item in network["IPAM"]["Config"] or [] if ":" not in item.get("Subnet", ":")), None)
    if config is None:
        return None
    subnet = ipaddress.IPv4Network(config["Subnet"])
    used = {member["IPv4Address"].partition("/")[0] for member in (network.get("Containers") or {}).values()}
    used |= {*taken, config.get("Gateway", "")}
    for address in _candidates(subnet, config.get("IPRange")):
        if str(address) not in used:
            return str(address)
    return None


def _candidates(subnet: ipaddress.IPv4Network, dynamic: str | None) -> Iterator[ipaddress.IPv4Address]:
    """Addresses outside the Engine's own range; from the top down where it uses the whole subnet."""
    hosts = list(subnet.hosts())[1:] if subnet.num_addresses <= 65536 else []
    if not dynamic:
        yield from reversed(hosts)
        return
    theirs = ipaddress.IPv4Network(dynamic, strict=False)
    yield from (host for host in hosts if host not in theirs)


def _taken(site: Site) -> list[str]:
    others = [subnet for file in site.paths.apps.glob(f"*/{FILE}") for subnet in read_json(file, default={}).values()]
    engines = [
        item["Subnet"]
        for network in site.engine.networks()
        for item in (network.get("IPAM") or {}).get("Config") or []
        if item.get("Subnet")
    ]
    return others + engines + routes(Path("/proc/net/route"))


def routes(table: Path) -> list[str]:
    """Return the networks this host has routes to, without the default route."""
    found = []
    for line in table.read_text().splitlines()[1:]:
        words = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(words[at]), "little") for at in (1, 7))
        if mask:
            found.append(f"{ipaddress.IPv4Address(destination)}/{mask.bit_count()}")
    return found


@contextmanager
def _host_wide(paths: Paths) -> Iterator[None]:
    paths.locks.mkdir(parents=True, exist_ok=True)
    with (paths.locks / "subnets").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure_edge(site: Site) -> None:
    """Make the network that the reverse proxy shares with this target."""
    if site.engine.network(site.edge) is not None:
        return
    subnet = subnets(site, [EDGE])[EDGE]
    site.engine.create_network(
        site.edge,
        {
            "Driver": "bridge",
            "Labels": {"ikoma.target": site.slug, "ikoma.network": EDGE},
            "IPAM": {"Config": [{"Subnet": subnet, "IPRange": subnet.replace(".0/24", ".128/25")}]},
        },
    )
