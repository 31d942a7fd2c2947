"""``db.diff``: what somebody changed by hand in the live database."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.database import target
from agent.database.connect import session
from agent.database.frame import Run
from agent.database.proof import rebuild, store
from agent.database.provision import Names
from agent.host.files import read_json
from agent.model.dsn import Dsn
from agent.model.errors import Misuse
from agent.model.release import parse


def run(call: Call) -> dict[str, Any]:
    """Return ``differences`` from what the last deployment left (``compared_with``), or else from a rebuild.

    Raises:
        Misuse: ``proof.no_release`` where a rebuild is needed and no release serves.
        IkomaError: the faults of a connection, and those of a rebuild.
    """
    dsn = target.required(call.paths.target(call.the_target), call.the_target)
    with session(dsn, "ikoma:db.diff") as connection:
        live = rebuild.look(connection, Names.of(call.the_target.slug).app)
        known = live.stored is not None and live.stored.history == store.history(live.rows)
        stored = store.load(connection, "schema") if known else None
    found = live.told(stored) if stored else rebuild.rebuild(migration_of(call), live, call.paths.state).differences
    compared = "deployment" if stored else "rebuild"
    differences = [item.to_json() for item in found]
    return answer(call, dsn) | {"compared_with": compared, "clean": not found, "differences": differences}


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
        docker_socket=call.settings.docker_socket, max_gb=release.backups.max_gb,
    )  # fmt: skip


def answer(call: Call, dsn: Dsn) -> dict[str, Any]:
    """Return what both answers begin with."""
    return {"app": call.the_target.app, "environment": call.the_target.environment, "database": dsn.where}
