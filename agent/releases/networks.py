"""Addresses: a subnet for each network of a target, and a fixed address for a container that starts unseen.

The lower half of a subnet belongs to the agent, the upper half to the Engine (``ip_range``). A container that keeps
its address while it is taken off a network and put back under another name keeps its connections.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from agent.docker.engine import Engine
from agent.host import process
from agent.host.files import read_json, write_json
from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.releases.site import Site

FILE: Final = "networks.json"
EDGE: Final = "edge"
PREFIX: Final = 24
ROUTES_SECONDS: Final = 5.0
EVERYWHERE: Final = 8
"""Shorter prefixes are a default route by another name: a VPN that takes everything has two halves of the world."""


def subnets(site: Site, names: Iterable[str], keep: bool = True) -> dict[str, str]:
    """Return a subnet for each of the target's networks, the same one every time.

    Without ``keep`` nothing is written down: who only looks must not use the host's addresses up.

    A network that was there before us keeps the addresses it has: compose would refuse to change them.

    Raises:
        IkomaError: ``network.exhausted`` when the host's address pool is used up.
    """
    wanted = list(names)
    file = site.home.base / FILE
    with _host_wide(site.paths):
        known: dict[str, str] = read_json(file, default={})
        wanted = [name for name in wanted if name in known or not _there_already(site, name)]
        missing = [name for name in wanted if name not in known]
        if missing:
            taken = _taken(site)
            for name in missing:
                known[name] = choose(site.settings.address_pool, taken)
                taken.append(known[name])
            if keep:
                write_json(file, known)
    return {name: known[name] for name in wanted}


def _there_already(site: Site, name: str) -> bool:
    found = site.engine.network(f"{site.slug}_{name}")
    return found is not None and found["Name"] == f"{site.slug}_{name}"


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
    return others + engines + [route for route, _ in routes()]


def clashes(normalised: Mapping[str, Any], engine: Engine) -> Iterator[IkomaError]:
    """Yield the subnets that a release states itself and to which this host has another way: a LAN, a VPN."""
    ways = routes()
    for key, entry in (normalised.get("networks") or {}).items():
        name = str((entry or {}).get("name", ""))
        existing = engine.network(name) or {}
        own = f"br-{existing['Id'][:12]}" if existing.get("Name") == name else ""
        for block in ((entry or {}).get("ipam") or {}).get("config") or []:
            others = [route for route, device in ways if device != own]
            if hit := overlapping(str(block.get("subnet") or ""), others):
                yield IkomaError("network.overlap", network=key, subnet=block["subnet"], route=hit)


def overlapping(subnet: str, ways: Iterable[str]) -> str:
    """Return the first of ``ways`` that shares addresses with ``subnet``, or nothing. Pure."""
    if not subnet:
        return ""
    wanted = ipaddress.ip_network(subnet, strict=False)
    found = (way for way in ways if (other := ipaddress.ip_network(way)).version == wanted.version
             and other.overlaps(wanted))  # fmt: skip
    return next(found, "")


def routes() -> list[tuple[str, str]]:
    """Return the networks this host has ways to, and through which device.

    Every routing table counts: a VPN often has one of its own. Without iproute2 only the main one can be read.
    """
    try:
        done = process.run(["ip", "-json", "-4", "route", "show", "table", "all"], timeout=ROUTES_SECONDS)
        return ways(json.loads(done.stdout or "[]"))
    except (IkomaError, ValueError):
        return main_table(Path("/proc/net/route").read_text())


def ways(listed: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return destination and device of what ``ip -json route`` lists, without what only means "everywhere". Pure."""
    found = []
    for route in listed:
        if route.get("type") in ("broadcast", "multicast") or route.get("dst") in (None, "default"):
            continue
        network = ipaddress.ip_network(str(route["dst"]), strict=False)
        if network.prefixlen >= EVERYWHERE and not network.is_loopback:
            found.append((str(network), str(route.get("dev", ""))))
    return found


def main_table(table: str) -> list[tuple[str, str]]:
    """Return the same from the text of ``/proc/net/route``. Pure."""
    found = []
    for line in table.splitlines()[1:]:
        words = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(words[at]), "little") for at in (1, 7))
        if mask.bit_count() >= EVERYWHERE:
            found.append((f"{ipaddress.IPv4Address(destination)}/{mask.bit_count()}", words[0]))
    return found


@contextmanager
def _host_wide(paths: Paths) -> Iterator[None]:
    paths.locks.mkdir(parents=True, exist_ok=True)
    with (paths.locks / "subnets").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure_edge(site: Site) -> None:
    """Make the network that the reverse proxy shares with this target.

    It leads nowhere else (``Internal``): the Engine would move the default route of the proxy and of whatever is
    routed to it as they join, in the middle of what they are doing, and a service that is kept off the Internet would
    have a way out by being routed.
    """
    if site.engine.network(site.edge) is not None:
        return
    subnet = subnets(site, [EDGE])[EDGE]
    site.engine.create_network(
        site.edge,
        {
            "Driver": "bridge",
            "Internal": True,
            "Labels": {"ikoma.target": site.slug, "ikoma.network": EDGE},
            "IPAM": {"Config": [{"Subnet": subnet, "IPRange": subnet.replace(".0/24", ".128/25")}]},
        },
    )
