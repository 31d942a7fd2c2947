"""What a release would mean for a target's database, told from its manifest alone. Reads, never writes."""

from __future__ import annotations

from collections.abc import Sequence

from agent.database import ledger, rights, target
from agent.database.connect import session
from agent.host.paths import TargetPaths
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.migrations import compare
from agent.model.release import Release


def of(home: TargetPaths, settings: Settings, release: Release) -> tuple[Sequence[str], list[IkomaError]]:
    """Return the files that a deployment would apply, and every reason why it would not.

    Without a connection all are pending; that is a problem unless the host makes the database itself. A database that
    does not answer is a problem too, and nothing is known to be pending.
    """
    try:
        dsn = target.dsn(home)
        if dsn is None:
            absent = [] if settings.provision else [IkomaError("database.no_dsn", target=release.target)]
            return [item.file for item in release.migrations], absent
        with session(dsn, "ikoma:deploy.plan") as connection:
            comparison = compare(release.migrations, ledger.read(connection))
            lacking = rights.problems(connection, dsn, release.schemas) if comparison.pending else []
            return comparison.pending, [*lacking, *comparison.problems()]
    except IkomaError as error:
        return (), [error]
