"""``db.diff``: what somebody changed by hand in the live database."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.database import target
from agent.database.apply import Run
from agent.database.connect import session
from agent.database.proof import rebuild, store
from agent.database.provision import Names
from agent.host.files import read_json
from agent.model.errors import Misuse
from agent.model.release import parse


def run(call: Call) -> dict[str, Any]:
    """Return ``differences`` from what the last deployment left (``compared_with``), or else from a rebuild.

    Raises:
        Misuse: ``proof.no_release``.
        IkomaError: the faults of a connection, and those of a rebuild where one is needed.
    """
    migration = migration_of(call)
    with session(migration.dsn, "ikoma:db.diff") as connection:
        live = rebuild.look(connection, migration.app_role)
        stored = store.load(connection, "schema")
    known = stored is not None and live.stored is not None and live.stored.history == store.history(live.rows)
    found = live.told(stored) if stored and known else rebuild.rebuild(migration, live, call.paths.state).differences
    compared = "deployment" if known else "rebuild"
    differences = [item.to_json() for item in found]
    return answer(call, migration) | {"compared_with": compared, "clean": not found, "differences": differences}


def migration_of(call: Call) -> Run:
    """Return the migration of the release that serves, as it would run. Raises ``Misuse("proof.no_release")``."""
    home = call.paths.target(call.the_target)
    serving = read_json(home.current, default={}).get("release")
    manifest = read_json(home.release(serving) / "release.json") if serving else None
    if manifest is None:
        raise Misuse("proof.no_release", target=call.the_target)
    release = parse(manifest)
    return Run(
        dsn=target.required(home, call.the_target), folder=home.release(release.id) / "migrations",
        files=release.migrations, release=release.id, operation=call.operation or "read", schemas=release.schemas,
        schema=target.schema(home), app_role=Names.of(call.the_target.slug).app, lang=call.lang,
    )  # fmt: skip


def answer(call: Call, migration: Run) -> dict[str, Any]:
    """Return what both answers begin with."""
    return {
        "app": call.the_target.app,
        "environment": call.the_target.environment,
        "release": migration.release,
        "database": migration.dsn.where,
    }
