"""Comparing what runs with what was recorded."""

from __future__ import annotations

from typing import Any

from agent.docker.engine import SERVICE
from agent.releases import observe, records
from agent.releases.site import Site

Difference = dict[str, str]


def differences(site: Site, release: str) -> list[Difference]:
    """Return what differs from the record of ``release``: images, definitions, values, compose file, containers."""
    record = records.record(site, release) or {"services": {}, "values": ""}
    found = containers(record["services"], observe.containers(site.engine, site.slug))
    if record["values"] != records.values_hash(site):
        found.append({"what": "values", "where": "app.env"})
    recorded = site.home.release(release) / records.COMPOSE
    if (
        not recorded.exists()
        or not site.home.compose.exists()
        or recorded.read_bytes() != site.home.compose.read_bytes()
    ):
        found.append({"what": "compose", "where": records.COMPOSE})
    return found + images(site, record["services"])


def images(site: Site, recorded: dict[str, Any]) -> list[Difference]:
    """Compare what containers really run with the recorded digests: a tag in a name says nothing of a content."""
    wanted = {service["image"]: (site.engine.image(service["image"]) or {}).get("Id") for service in recorded.values()}
    found = []
    for item in site.engine.containers(site.slug):
        name = item["Labels"].get(SERVICE, "")
        image = recorded.get(name, {}).get("image")
        if image is not None and item["ImageID"] != wanted[image]:
            found.append({"what": "digest", "where": name})
    return found


def containers(recorded: dict[str, Any], observed: list[observe.Observed]) -> list[Difference]:
    """Compare recorded services with containers. Pure."""
    found = []
    for name, service in recorded.items():
        mine = [item for item in observed if item.service == name]
        if len(mine) != service.get("replicas", 0):
            found.append({"what": "containers", "where": name})
        if any(item.image != service["image"] for item in mine):
            found.append({"what": "image", "where": name})
        if any(item.hash != service.get("hash") for item in mine):
            found.append({"what": "definition", "where": name})
    return found + [{"what": "unknown", "where": item.name} for item in observed if item.service not in recorded]


def migrations(record: dict[str, Any], applied: list[str]) -> list[Difference]:
    """Compare what a database has with what its release brought, and what was known to be ahead of it. Pure."""
    wanted, ahead = set(record.get("migrations") or ()), set(record.get("ahead") or ())
    gone = [{"what": "migration missing", "where": name} for name in sorted(wanted - set(applied))]
    return gone + [{"what": "migration unknown", "where": name} for name in sorted(set(applied) - wanted - ahead)]
