"""``db.list_backups``: what there is to go back to."""

from __future__ import annotations

from typing import Any, Final

from agent.capabilities.call import Call
from agent.database import target
from agent.database.backup import store
from agent.database.connect import session
from agent.database.fingerprint.model import KEPT
from agent.model.errors import IkomaError

_KEPT: Final = """
    select datname, 'database', pg_database_size(oid) from pg_database
    where datname ~ ('^' || regexp_replace(current_database(), '[^a-zA-Z0-9_]', '.', 'g') || '_before_[a-z0-9]+$')
    and pg_has_role(datdba, 'usage')
    union all select nspname, 'schema', null from pg_namespace where starts_with(nspname, %s) order by 1
"""


def run(call: Call) -> dict[str, Any]:
    """Return ``backups``, the latest first, and ``kept``: what restores have replaced and left for you to drop."""
    home, folder = call.paths.target(call.the_target), call.paths.backups / call.the_target.slug
    answer = {"app": call.the_target.app, "environment": call.the_target.environment, "folder": str(folder)}
    return answer | {"backups": [item.to_json() for item in store.all_of(folder)], "kept": _kept(home)}


def _kept(home: Any) -> list[dict[str, Any]]:
    try:
        dsn = target.dsn(home)
        if dsn is None:
            return []
        with session(dsn, "ikoma:db.list_backups") as connection:
            rows = connection.execute(_KEPT, [KEPT]).fetchall()
    except IkomaError:  # what is in the folder is known even so
        return []
    return [{"name": name, "kind": kind, "bytes": size} for name, kind, size in rows]
