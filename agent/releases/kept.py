"""Whether the images of kept releases are still here: asked before a rollback needs them, and finds one gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from agent.docker.engine import Engine
from agent.host.files import read_json
from agent.model.errors import IkomaError
from agent.releases import records
from agent.releases.homemade import PREFIX
from agent.releases.retention import named
from agent.releases.site import Site


def lost(engine: Engine, sites: Iterable[Site]) -> Iterator[IkomaError]:
    """Tell of each image that a record of these targets names and the Engine has no more.

    One list of all images answers for those that are here. It says names in the Engine's own way, so that the few it
    seems to lack are asked for one by one, as a rollback would.
    """
    wanted = [(site, image, kept) for site in sites for image, kept in sorted(_by_image(site).items())]
    here = listed(engine.images()) if wanted else set()
    for site, image, kept in wanted:
        if image not in here and engine.image(image) is None:
            yield _told(site, image, kept)


def listed(images: Iterable[dict[str, Any]]) -> set[str]:
    """Return the references by digest in the Engine's list of images. Pure."""
    return {reference for item in images for reference in item.get("RepoDigests") or ()}


def _by_image(site: Site) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a target by the images that they name, the latest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    read = [_read(file) for file in site.home.releases.glob(f"r-*/{records.RECORD}")]
    for record in sorted(read, key=lambda item: str(item.get("deployed", "")), reverse=True):
        for image in {image for image in named([record]) if image}:
            found.setdefault(image, []).append(record)
    return found


def _read(file: Path) -> dict[str, Any]:
    """Return a record; one that cannot be read names nothing, for others are to be told of all the same."""
    try:
        found = read_json(file)
    except (OSError, ValueError):
        found = None
    return {"release": file.parent.name} | (found if isinstance(found, dict) else {})


def _told(site: Site, image: str, kept: list[dict[str, Any]]) -> IkomaError:
    """Return what is to be told; what was built on this host stands in no registry."""
    releases = ", ".join(str(record["release"]) for record in kept)
    commit = str((kept[0].get("provenance") or {}).get("commit") or "COMMIT")
    name = "image.lost_homemade" if image.startswith(f"{PREFIX}/") else "image.lost"
    return IkomaError(name, slug=site.slug, releases=releases, image=image, commit=commit).about(site.target.options)
