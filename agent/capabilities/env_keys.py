"""``env.keys``: what is set, without showing it. Standard library only."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.host import envfile, hashkey


def run(call: Call) -> dict[str, Any]:
    """Return for both files name → fingerprint; equal fingerprints of one name mean equal values on this host."""
    home, key = call.paths.target(call.the_target), hashkey.load(call.paths)
    files = {"app": home.app_env, "agent": home.agent_env}
    return {
        scope: {name: envfile.fingerprint(key, name, value) for name, value in sorted(envfile.read(path).items())}
        for scope, path in files.items()
    }
