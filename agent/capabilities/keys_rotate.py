"""``keys.rotate``: a new API secret, while the one before it stays valid until everybody has changed over."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.capabilities.keys_list import meant
from agent.host import apikeys, keys


def run(call: Call) -> dict[str, Any]:
    """Return ``apiKey``, which is shown this once, and how many secrets of the key are valid now.

    Args (of the call): ``key``, by default the caller's own.
    """
    grant = meant(call)
    secret = apikeys.rotate(call.paths, grant.name, grant.api_keys)
    valid = len(keys.load(call.paths)[grant.name].api_keys)
    return {"key": grant.name, "apiKey": secret, "valid": valid}
