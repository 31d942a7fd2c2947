"""What would stop a release on this host, as far as containers, ports and routes are concerned. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from agent.docker.engine import PROJECT
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.release import Release
from agent.releases import adoption, networks, plan, prepare, proxy
from agent.releases.site import Site, name_of

_LISTENING: Final = "0A"
_SITES: Final = re.compile(r"^(\S.*) \{$", re.MULTILINE)


class Place(Protocol):
    """What is read of an operation's context or of a call."""

    @property
    def target(self) -> Target: ...

    @property
    def paths(self) -> Paths: ...

    @property
    def settings(self) -> Settings: ...


def problems(
    ctx: Place, release: Release, values: Path | None = None, accept: Collection[str] = ()
) -> list[IkomaError]:
    """Return every reason why ``release`` cannot be rolled out here; empty when it can.

    ``values`` stands in for the target's ``app.env``; ``accept`` is what the caller knowingly accepts.

    ``compose.invalid`` is among them when compose does not accept the release with the target's values; then the
    policy could not be asked.
    """
    site = Site(ctx.target, ctx.paths, ctx.settings)
    try:
        prepared = prepare.prepare(site, release, values, keep=False)
    except IkomaError as error:
        return [error, *_routes(site, release)]
    found = [finding.error() for finding in prepared.findings]
    found += networks.clashes(prepared.normalised, site.engine)
    found += adoption.problems(site, prepared.normalised, accept)
    found += _dropped(site, prepared, accept)
    return [*found, *published(site, prepared.normalised), *_routes(site, release), *_proxy(site, release)]


def _dropped(site: Site, prepared: prepare.Prepared, accept: Collection[str]) -> Iterator[IkomaError]:
    """Services that hold data and that the release has no more: forgotten, renamed, or meant to go."""
    for service in plan.dropped(prepare.compare(site, prepared, accept), prepare.replaceable(accept)):
        yield IkomaError("plan.data_dropped", service=service)


def published(site: Site, normalised: dict[str, Any]) -> Iterator[IkomaError]:
    """Ports of the host that services publish and somebody else holds."""
    others = {port: holder for port, holder in holders(site).items() if not holder.startswith(f"{site.slug}/")}
    for name, service in normalised["services"].items():
        for port in service.get("ports") or []:
            for number in _numbers(str(port.get("published") or "")):
                if number in others:
                    yield IkomaError("port.held", port=number, holder=others[number], service=name)


def _numbers(published: str) -> range:
    first, _, last = published.partition("-")
    return range(int(first), int(last or first) + 1) if first.isdigit() else range(0)


def _proxy(site: Site, release: Release) -> Iterator[IkomaError]:
    if not release.routes:
        return
    if not site.settings.caddy_image:
        yield IkomaError("proxy.no_image")
    running = site.engine.container(proxy.NAME)
    if running is not None and not proxy.ours(running):
        yield IkomaError("proxy.foreign", name=proxy.NAME)
    if running is not None and running["State"]["Running"]:
        return
    held = holders(site)
    for port in (site.settings.http_port, site.settings.https_port):
        if port in held:
            yield IkomaError("port.held", port=port, holder=held[port], service=proxy.NAME)


def holders(site: Site) -> dict[int, str]:
    """Return who holds which TCP port of the host: ``project/container``, or a process."""
    found = dict.fromkeys(listening(Path("/proc/net/tcp")) + listening(Path("/proc/net/tcp6")), "a process")
    for container in site.engine.all_containers():
        project = container["Labels"].get(PROJECT, "docker")
        for port in container.get("Ports") or []:
            if port.get("PublicPort") and container["State"] == "running":
                found[int(port["PublicPort"])] = f"{project}/{name_of(container)}"
    return found


def listening(table: Path) -> list[int]:
    """Return the TCP ports somebody listens on, from the kernel's table."""
    if not table.exists():
        return []
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTENING]


def _routes(site: Site, release: Release) -> Iterator[IkomaError]:
    """Host names that another target's routes already claim."""
    owners = {
        host: file.stem
        for file in (site.paths.proxy / "routes").glob("*.caddy")
        if file.stem != site.slug
        for host in hosts(file.read_text())
    }
    for host in sorted(release.routes):
        if host in owners:
            yield IkomaError("route.taken", host=host, owner=owners[host])


def hosts(text: str) -> set[str]:
    """Return the host names that a file of routes serves."""
    sites = [name.strip() for match in _SITES.finditer(text) for name in match[1].split(",")]
    return {name.partition("://")[2] or name for name in sites}
