"""Where a server is whose host is a container's or a service's name: only the Engine knows.

A container's address changes with every restart, and a self-hosted Supabase publishes no port of its database: it is
looked up at each connect.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from agent.docker.engine import SERVICE, Engine
from agent.host import settings
from agent.host.paths import Paths
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

TARGET: Final = "ikoma.target"
_LOCAL: Final = "127.0.0.1"


def located(dsn: Dsn) -> Dsn:
    """Return ``dsn`` with the address of the running container that its host names; as it is where there is none.

    Raises:
        IkomaError: ``database.which_container`` when several containers serve under that name.
    """
    if not _may_be_a_container(dsn):
        return dsn
    try:
        containers = Engine(settings.load(Paths.from_environment()).docker_socket).all_containers()
    except IkomaError:  # no engine, no container
        return dsn
    found = named(containers, dsn.host)
    if len(found) > 1:
        names = ", ".join(sorted(_names(item)[0] for item in found))
        raise IkomaError("database.which_container", host=dsn.host, containers=names)
    return replace(dsn, options=(*dsn.options, ("hostaddr", address(found[0])))) if found else dsn


def named(containers: Sequence[dict[str, Any]], host: str) -> list[dict[str, Any]]:
    """Return the running container that is called ``host``, or else those of the service of that name. Pure."""
    running = [item for item in containers if item.get("State") == "running"]
    called = [item for item in running if host in _names(item)]
    return called or [item for item in running if host and service(item) == host]


def service(container: dict[str, Any]) -> str:
    """Return the service's name by which a container may be meant; "" for one that belongs to an app of ours. Pure.

    Whoever may deploy an app chooses its services' names: none of them must pass for another app's database. The
    name of a container itself has the app's in it.
    """
    labels = container.get("Labels") or {}
    return "" if labels.get(TARGET) else str(labels.get(SERVICE) or "")


def address(container: dict[str, Any]) -> str:
    """Return where this host reaches a container: its first address, or our own where it has none. Pure."""
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    return next((str(item["IPAddress"]) for item in networks.values() if item.get("IPAddress")), _LOCAL)


def _names(container: dict[str, Any]) -> list[str]:
    return [name.lstrip("/") for name in container.get("Names") or []] or [str(container.get("Id"))[:12]]


def _may_be_a_container(dsn: Dsn) -> bool:
    if dsn.host in ("", "localhost") or dsn.host.startswith(("/", "@")) or "hostaddr" in dict(dsn.options):
        return False
    try:
        ipaddress.ip_address(dsn.host)
    except ValueError:
        return "." not in dsn.host
    return False
