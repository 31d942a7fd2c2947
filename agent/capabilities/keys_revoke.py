"""``keys.revoke``: take back the secret from before a rotation, or a whole key, at every door and at once."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.capabilities.keys_list import meant
from agent.host import apikeys
from agent.model.errors import Misuse


def run(call: Call) -> dict[str, Any]:
    """Return ``key``, and ``revoked``: ``previous`` or ``key``.

    Args (of the call): ``key``, by default the caller's own; ``previous`` (true: only secrets before the newest).
    """
    previous = str(call.args.get("previous", "")).lower() in ("true", "1")
    if not previous and not call.args.get("key"):
        raise Misuse("keys.unnamed")
    grant = meant(call)
    if not previous:
        apikeys.revoke(call.paths, grant.name)
    elif not apikeys.drop_previous(call.paths, grant.name, grant.api_keys):
        raise Misuse("keys.no_other", key=grant.name)
    return {"key": grant.name, "revoked": "previous" if previous else "key"}
