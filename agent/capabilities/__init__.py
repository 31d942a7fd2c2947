"""The verbs: one file each, and an index of plain data that is read without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.capabilities.index import (
    Capability,
    apps,
    audit,
    backup,
    db,
    deploy,
    env,
    keys,
    operations,
    platform,
    policy,
)

Index = Mapping[str, Capability]

_TABLES: Final = (
    apps.TABLE, audit.TABLE, backup.TABLE, db.TABLE, deploy.TABLE, env.TABLE, keys.TABLE, operations.TABLE,
    platform.TABLE, policy.TABLE,
)  # fmt: skip

CAPABILITIES: Final[Index] = {capability.name: capability for table in _TABLES for capability in table}
