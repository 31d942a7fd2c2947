"""Taking a compose project over that somebody else started: what it keeps, and what would be lost by a wrong name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from agent.docker.engine import PROJECT, SERVICE
from agent.host.files import read_json, write_json
from agent.model import policy
from agent.model.errors import IkomaError
from agent.releases import observe, prepare, records
from agent.releases.site import Site

FILE: Final = "adopted.json"
TARGET: Final = "ikoma.target"
VOLUME: Final = "com.docker.compose.volume"
EMPTY: Final = "empty:"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a project has that a release under the same name goes on using."""

    services: list[str]
    containers: list[str]
    volumes: list[str]
    networks: list[str]
    folders: list[str]


def survey(slug: str, containers: Iterable[Mapping[str, Any]], volumes: Iterable[Mapping[str, Any]]) -> Kept:
    """Return what a project has, from the Engine's lists. Pure."""
    mine = list(containers)
    mounts = [mount for item in mine for mount in item.get("Mounts") or []]
    own = {str(item["Name"]) for item in volumes if (item.get("Labels") or {}).get(PROJECT) == slug}
    used = {str(mount["Name"]) for mount in mounts if mount.get("Type") == "volume" and mount.get("Name")}
    nets = {name for item in mine for name in ((item.get("NetworkSettings") or {}).get("Networks") or {})}
    return Kept(
        services=sorted({item["Labels"].get(SERVICE, "") for item in mine}),
        containers=sorted(str(item["Id"]) for item in mine),
        volumes=sorted(own | used),
        networks=sorted(nets),
        folders=sorted({str(mount["Source"]) for mount in mounts if mount.get("Type") == "bind"}),
    )


def look(site: Site) -> Kept:
    """Return what the project of a target's name has."""
    return survey(site.slug, site.engine.containers(site.slug), site.engine.volumes())


def adopted(site: Site) -> dict[str, Any] | None:
    """Return what was taken over, or None."""
    found: dict[str, Any] | None = read_json(site.home.base / FILE)
    return found


def write(site: Site, kept: Kept | None, operation: str) -> None:
    """Record what is taken over; with None, that nothing is."""
    if kept is None:
        (site.home.base / FILE).unlink(missing_ok=True)
        return
    site.home.base.mkdir(parents=True, exist_ok=True)
    write_json(site.home.base / FILE, {"operation": operation, "since": records.now(), **asdict(kept)})


def strangers(site: Site) -> list[str]:
    """Return the services of containers that run under the target's name and that no deployment of ours made."""
    if records.current(site) is not None or adopted(site) is not None:
        return []
    found = site.engine.containers(site.slug)
    return sorted({item["Labels"].get(SERVICE, "") for item in found if item["Labels"].get(TARGET) != site.slug})


def problems(site: Site, normalised: Mapping[str, Any], accept: Collection[str]) -> Iterator[IkomaError]:
    """Yield why a release must not be deployed over what is there: it was not taken over, or data stays behind."""
    if found := strangers(site):
        yield IkomaError("adopt.first", slug=site.slug, services=", ".join(found), app=site.target.app)
    wanted = {name: key for kind, key, name in policy.named(dict(normalised)) if kind == "volume"}
    if not wanted:
        return
    for key, name, other in elsewhere(wanted, site.engine.volumes(), [site.slug, *prepare.neighbours(site)]):
        if f"{EMPTY}{key}" not in accept:
            yield IkomaError("adopt.empty_volume", volume=key, name=name, other=other)


def elsewhere(
    wanted: Mapping[str, str], volumes: Iterable[Mapping[str, Any]], ours: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield volumes that would start empty while a project that is no target of ours has one of that name. Pure.

    Args:
        wanted: real name → key in the compose file.
        volumes: all volumes of the host.
        ours: the slugs of this host's targets; two apps may both have a volume "data".
    """
    there = [(str(item["Name"]), item.get("Labels") or {}) for item in volumes]
    known = {name for name, _ in there}
    for name, key in sorted(wanted.items()):
        if name in known:
            continue
        for other, labels in sorted(there, key=lambda item: item[0]):
            foreign = labels.get(PROJECT, "") not in ours
            if foreign and (labels.get(VOLUME) == key or other == key):
                yield key, name, other
                break


def running(site: Site) -> bool:
    """Say whether anything of the project runs."""
    return any(item.state == "running" for item in observe.containers(site.engine, site.slug))
