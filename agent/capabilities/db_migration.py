"""``db.migration``: the text of a migration that came by ``db.migrate sql=…`` and that no release contains yet."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.database import byhand
from agent.model.errors import Misuse


def run(call: Call) -> dict[str, Any]:
    """Return ``file`` and ``sql``; without ``name`` the names of all, in ``files``."""
    kept = byhand.kept(call.paths.target(call.the_target))
    asked = str(call.args.get("name") or "")
    answer: dict[str, Any] = {"app": call.the_target.app, "environment": call.the_target.environment}
    if not asked:
        return answer | {"files": list(kept)}
    file = f"{asked.removesuffix('.sql')}.sql"
    if file not in kept:
        raise Misuse("migration.no_text", target=call.the_target, file=asked[:100])
    return answer | {"file": file, "sql": kept[file].decode()}
