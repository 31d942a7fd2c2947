"""``deploy.approve``: a second key agrees to a release. Whoever deploys it cannot be the one who agreed."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.host import policies
from agent.model.errors import Misuse
from agent.model.names import RELEASE


def run(call: Call) -> dict[str, Any]:
    """Return ``release``, and who agreed when. Args (of the call): ``release``, as a plan or a refusal names it."""
    release = str(call.args.get("release", ""))
    if not RELEASE.fullmatch(release):
        raise Misuse("release.unknown", release=release[:40], slug=call.the_target.slug)
    made = policies.approve(call.paths, call.the_target, release, call.key)
    return {"release": release, **made.approvals[release]}
