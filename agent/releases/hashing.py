"""Keyed hashes: a label or a record must not let anybody guess a value. Standard library only."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from agent.model.names import canonical


def keyed(key: bytes, value: Any) -> str:
    """Return 32 hex digits over the canonical JSON of ``value`` (or over bytes as they are)."""
    raw = value if isinstance(value, bytes) else canonical(value)
    return hmac.new(key, raw, hashlib.sha256).hexdigest()[:32]
