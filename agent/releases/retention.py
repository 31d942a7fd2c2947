"""What a target no longer needs: old releases, images that only they used, files that nobody mounts any more.

A target holds the images of its kept releases, by a list of its own (``images.json``). An image goes when no target of
this host holds it, no record names it and no container uses it; and only one that this target itself held. So what
an operator, another app or another environment brought here is never looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.docker.engine import EngineError
from agent.host.files import read_json, write_json
from agent.host.flock import Flock
from agent.host.paths import Paths
from agent.releases import records
from agent.releases.site import Site

HELD: Final = "images.json"
KEEP: Final = 5


@dataclass(frozen=True, slots=True)
class Retired:
    """What was removed."""

    releases: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    files: int = 0


def hold(site: Site, images: Iterable[str]) -> None:
    """Make it durable that this target needs images, before anybody looks whether they are here."""
    file = site.home.base / HELD
    with _host_wide(site.paths):
        held: dict[str, str] = read_json(file, default={})
        if missing := [image for image in images if image not in held]:
            site.home.base.mkdir(parents=True, exist_ok=True)
            write_json(file, held | dict.fromkeys(missing, records.now()))


def retire(site: Site) -> Retired:
    """Remove what the target's policy does not keep; what a rollback needs stays, whatever the policy says."""
    current = records.current(site)
    if current is None:
        return Retired()
    record = records.record(site, current.release) or {}
    needed = {current.release, current.previous or current.release}
    releases = records.retire(site, int(record.get("retention", KEEP)), needed)
    return Retired(releases, _images(site, records.all_records(site)), _files(site))


def release_all(site: Site) -> list[str]:
    """Let go of every image of a target whose containers are gone; return those that nobody else holds, now removed."""
    return _images(site, kept=[])


def surplus(held: Collection[str], kept: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the images of ``held`` that no kept record names. Pure."""
    return sorted(set(held) - set(named(kept)))


def named(kept: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the images that records name. Pure."""
    for record in kept:
        for service in (record.get("services") or {}).values():
            yield str(service.get("image", ""))


def _images(site: Site, kept: Iterable[Mapping[str, Any]]) -> list[str]:
    """Let go of the images of releases that are gone, and remove those that nobody else holds."""
    file = site.home.base / HELD
    with _host_wide(site.paths):
        held: dict[str, str] = read_json(file, default={})
        gone = surplus(held, kept)
        if not gone:
            return []
        write_json(file, {image: since for image, since in held.items() if image not in gone})
        wanted = _wanted_elsewhere(site)
        return [image for image in gone if image not in wanted and _remove(site, image)]


def _wanted_elsewhere(site: Site) -> set[str]:
    """Return the images that other targets hold or record, and those of containers."""
    others = [folder for folder in site.paths.apps.glob("*") if folder.name != site.slug]
    wanted = {image for folder in others for image in read_json(folder / HELD, default={})}
    recorded = (read_json(file) for folder in others for file in folder.glob(f"releases/r-*/{records.RECORD}"))
    wanted |= set(named(recorded))
    return wanted | {str(item["Image"]) for item in site.engine.all_containers()}


def _remove(site: Site, image: str) -> bool:
    with suppress(EngineError):  # somebody uses it under another name: then it stays
        return site.engine.remove_image(image)
    return False


def _files(site: Site) -> int:
    """Remove mounted files that neither a kept release nor a container mentions; return how many."""
    kept = [file.read_text() for file in site.home.releases.glob(f"r-*/{records.COMPOSE}")]
    mounts = {Path(mount["Source"]).name for item in site.engine.containers(site.slug) for mount in item["Mounts"]
              if mount.get("Source")}  # fmt: skip
    gone = [entry for entry in site.home.files.glob("*") if unused(entry.name, kept, mounts)]
    for entry in gone:
        records.remove(entry)
    return len(gone)


def unused(name: str, texts: Iterable[str], mounts: Collection[str]) -> bool:
    """Say whether no compose file mentions a file or folder of this name, and no container mounts it. Pure."""
    return name not in mounts and not any(f"files/{name}" in text for text in texts)


@contextmanager
def _host_wide(paths: Paths) -> Iterator[None]:
    paths.locks.mkdir(parents=True, exist_ok=True)
    with Flock(paths.locks / "images"):
        yield
