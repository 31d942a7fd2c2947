"""``deploy.manifest``: the manifest of the release that serves, or of a recorded one. Standard library only."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.host.files import read_json
from agent.model.errors import Misuse
from agent.model.names import RELEASE
from agent.releases import records
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return ``release`` and ``manifest``, both null before the first deployment; ``release`` chooses another one."""
    site = Site.of(call, call.the_target)
    current = records.current(site)
    wanted = call.args.get("release") or (current.release if current else None)
    if wanted is None:
        return {"release": None, "manifest": None}
    if not RELEASE.fullmatch(str(wanted)) or records.record(site, str(wanted)) is None:
        raise Misuse("release.unknown", release=str(wanted)[:40], slug=site.slug)
    return {"release": wanted, "manifest": read_json(site.home.release(str(wanted)) / records.MANIFEST)}
