"""``artifact.verify_release``: does what runs equal what was recorded."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.model.errors import Misuse
from agent.releases import records, verify
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return ``verified`` and, where it is false, ``differences``."""
    site = Site.of(call, call.the_target)
    current = records.current(site)
    if current is None:
        raise Misuse("release.none", slug=site.slug)
    differences = verify.differences(site, current.release)
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "release": current.release,
        "verified": not differences,
        "differences": differences,
    }
