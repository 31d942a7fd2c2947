"""Nothing to do: the release that is asked for is the one that serves, whole and well. Standard library only.

One call of the Engine's API decides, where ``docker compose up --wait`` takes more than half a second.
"""

from __future__ import annotations

from typing import Any

from agent.releases import observe, records
from agent.releases.site import Site


def unchanged(site: Site, release: str) -> dict[str, dict[str, Any]] | None:
    """Return the ``services`` of the result if ``release`` already serves as it should, else None."""
    current = records.current(site)
    if current is None or current.release != release or current.status != "HEALTHY":
        return None
    record = records.record(site, release)
    if record is None or record["values"] != records.values_hash(site):
        return None
    return judge(record, observe.containers(site.engine, site.slug))


def judge(record: dict[str, Any], containers: list[observe.Observed]) -> dict[str, dict[str, Any]] | None:
    """Compare a record with what runs. Pure. Return the ``services`` of the result, or None when they differ."""
    wanted = record["services"]
    if {item.service for item in containers} - set(wanted):
        return None
    result = {}
    for name, service in wanted.items():
        mine = [item for item in containers if item.service == name]
        good = [item for item in mine if _as_recorded(item, service)]
        if len(good) != service.get("replicas", 0) or len(good) != len(mine):
            return None
        state = (good[0].health or good[0].state) if good else "stopped"
        result[name] = {"action": "unchanged", "state": state, "kind": service["kind"]}
    return result


def _as_recorded(item: observe.Observed, service: dict[str, Any]) -> bool:
    well = item.finished if service["kind"] == "one-shot" else item.well
    return well and item.hash == service.get("hash")
