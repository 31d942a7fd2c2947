"""Is the database as the last deployment left it? Asked when nothing else is to be done."""

from __future__ import annotations

from agent.database import ledger, target
from agent.database.connect import session
from agent.database.fingerprint import catalog
from agent.database.proof import store
from agent.database.provision import Names
from agent.host.paths import TargetPaths
from agent.model.errors import IkomaError
from agent.model.names import Target


def untouched(home: TargetPaths, asked: Target) -> bool:
    """Return whether nobody changed the schema; whatever cannot be answered is a no, and told by who looks closer."""
    try:
        dsn = target.required(home, asked)
        with session(dsn, "ikoma:unchanged") as connection:
            stored = store.find(connection, "schema")
            if stored is None or stored.history != store.history(ledger.read(connection)):
                return False
            return catalog.take(connection, app_role=Names.of(asked.slug).app).digest == stored.digest
    except IkomaError:
        return False
