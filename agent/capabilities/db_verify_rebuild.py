"""``db.verify_rebuild``: can the live database be rebuilt from the serving release's migrations alone?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from agent.capabilities import db_diff
from agent.capabilities.call import Call
from agent.database.apply import tokens_of
from agent.database.connect import session
from agent.database.frame import Run
from agent.database.proof import baseline, rebuild
from agent.model.errors import IkomaError
from agent.model.migrations import Applied, compare


def run(call: Call) -> dict[str, Any]:
    """Return ``verified``, ``differences``, the ``fingerprint`` compared with, what the ``witness`` says, ``seconds``.

    Where the fingerprints are equal, pg_dump is asked too; what it tells differently is a difference as any other.
    With ``stored`` the live database is not asked: what the release has kept (``baseline``) stands for it. A set of
    files that does not run in an empty database is an answer too: ``verified`` is false and ``problem`` says which
    statement fails.

    Raises:
        Misuse: ``proof.no_release``.
        IkomaError: the faults of a connection, of the ledger, and ``proof.…`` when nothing can be said.
    """
    migration = db_diff.migration_of(call)
    if call.args.get("stored"):
        folder = call.paths.target(call.the_target).release(migration.release)
        live = baseline.live(folder, migration.files)
        migration = replace(migration, dsn=replace(migration.dsn, user=live.likeness.migrator))
    else:
        with session(migration.dsn, "ikoma:db.verify_rebuild") as connection:
            live = rebuild.look(connection, migration.app_role)
        migration = _applied(migration, live.rows)
    about = {"release": migration.release, "fingerprint": live.taken.digest}
    answer = db_diff.answer(call, migration.dsn) | about
    try:
        proof = rebuild.rebuild(migration, live, call.paths.state, second_witness=not call.args.get("stored"))
    except IkomaError as error:
        if error.id != "database.not_rebuildable":
            raise
        error.params |= {"app": call.the_target.app, "environment": call.the_target.environment}
        return answer | {"verified": False, "differences": [], "problem": error.to_json(call.lang)}
    heard = proof.heard
    differences = [item.to_json() for item in (*proof.differences, *(heard.differences if heard else ()))]
    told = {"agrees": heard.agrees, "reason": heard.reason or None} if heard else None
    seconds = round(proof.seconds, 3)
    return answer | {"verified": not differences, "differences": differences, "witness": told, "seconds": seconds}


def _applied(migration: Run, rows: tuple[Applied, ...]) -> Run:
    """Leave out what the release would still have to apply."""
    comparison = compare(migration.files, rows, partial(tokens_of, migration.folder))
    for problem in comparison.problems():
        raise problem
    return replace(migration, files=[item for item in migration.files if item.file not in comparison.pending])
