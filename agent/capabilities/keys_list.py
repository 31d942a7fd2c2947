"""``keys.list``: who may call the agent. A key that is not granted everything sees itself alone."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.host import apikeys, keys
from agent.host.keys import Grant
from agent.model.errors import Misuse


def run(call: Call) -> dict[str, Any]:
    """Return ``keys``: name, role, apps, environments, fingerprint and the number of valid API secrets."""
    known = keys.load(call.paths)
    visible = [one for one in known.values() if call.grant.everything or one.name == call.key]
    return {"keys": [_shown(one) for one in sorted(visible, key=lambda one: one.name)]}


def meant(call: Call) -> Grant:
    """Return the key that a call is about: the one that is named, or the caller's own.

    Raises:
        Misuse: ``keys.unnamed``, ``keys.unknown``; ``keys.foreign`` when it is another's and the caller may not.
    """
    name = str(call.args.get("key") or ("" if call.key == keys.LOCAL.name else call.key))
    if not name:
        raise Misuse("keys.unnamed")
    if name != call.key and not (call.grant.everything and call.grant.has_role("builder")):
        raise Misuse("keys.foreign", key=call.key, name=name[:64])
    found = keys.load(call.paths).get(name)
    if found is None:
        raise Misuse("keys.unknown", key=name[:64])
    return found


def _shown(one: Grant) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "apps": list(one.apps),
        "environments": list(one.environments),
        "fingerprint": one.fingerprint,
        "added": one.added,
        "secrets": len(one.api_keys),
        "rotating": len(one.api_keys) == apikeys.VALID,
    }
