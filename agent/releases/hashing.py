"""Keyed hashes: a label or a record must not let anybody guess a value. Standard library only."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

from agent.host.files import write_atomic
from agent.host.paths import Paths
from agent.model.names import canonical


def host_key(paths: Paths) -> bytes:
    """Return this host's key, made on first use."""
    try:
        return paths.hash_key.read_bytes()
    except FileNotFoundError:
        paths.hash_key.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(paths.hash_key, os.urandom(32), 0o600)
        return paths.hash_key.read_bytes()


def keyed(key: bytes, value: Any) -> str:
    """Return 32 hex digits over the canonical JSON of ``value`` (or over bytes as they are)."""
    raw = value if isinstance(value, bytes) else canonical(value)
    return hmac.new(key, raw, hashlib.sha256).hexdigest()[:32]
