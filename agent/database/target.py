"""The database of a target, as its ``agent.env`` names it."""

from __future__ import annotations

from typing import Final

from agent.host import envfile
from agent.host.paths import TargetPaths
from agent.model import dsn as dsns
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

DSN: Final = "SUPABASE_DB_DSN"
SCHEMA: Final = "SUPABASE_DB_SCHEMA"
KEYS: Final = (DSN, SCHEMA)
"""The keys of ``agent.env``; they never go into ``app.env``."""


def dsn(home: TargetPaths) -> Dsn | None:
    """Return the connection of a target, None when it has none. Raises ``Misuse("dsn.invalid")``."""
    value = envfile.read(home.agent_env).get(DSN, "").strip()
    return dsns.parse(value, DSN) if value else None


def required(home: TargetPaths, label: object) -> Dsn:
    """Return the connection of a target. Raises ``IkomaError("database.no_dsn")`` and as ``dsn``."""
    found = dsn(home)
    if found is None:
        raise IkomaError("database.no_dsn", target=label)
    return found


def schema(home: TargetPaths) -> str:
    """Return the schema into which unqualified names of a target's migrations go."""
    return envfile.read(home.agent_env).get(SCHEMA, "").strip() or "public"
