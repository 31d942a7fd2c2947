"""``artifact.verify_release``: does what runs equal what was recorded."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.model.errors import IkomaError, Misuse
from agent.releases import records, verify
from agent.releases.site import Site


def run(call: Call) -> dict[str, Any]:
    """Return ``verified``, ``differences`` where it is false, and what the release's proof of its database said."""
    site = Site.of(call, call.the_target)
    current = records.current(site)
    if current is None:
        raise Misuse("release.none", slug=site.slug)
    record = records.record(site, current.release) or {}
    differences = [*verify.differences(site, current.release), *_database(site, record)]
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "release": current.release,
        "verified": not differences,
        "differences": differences,
        "proof": record.get("proof"),
    }


def _database(site: Site, record: dict[str, Any]) -> list[verify.Difference]:
    """Compare the database with the record: what was applied, and the fingerprint of its schema."""
    if not record.get("migrations"):
        return []
    from agent.database import ledger, target
    from agent.database.connect import session
    from agent.database.fingerprint import catalog
    from agent.database.proof import store
    from agent.database.provision import Names

    try:
        with session(target.required(site.home, site.slug), "ikoma:verify_release") as connection:
            names = [row.name for row in ledger.read(connection)]
            found = verify.migrations(record, names)
            stored = store.find(connection, "schema")
            if stored is None or catalog.take(connection, app_role=Names.of(site.slug).app).digest != stored.digest:
                found.append({"what": "fingerprint", "where": "schema"})
            return found
    except IkomaError as error:
        return [{"what": "database", "where": error.id}]
