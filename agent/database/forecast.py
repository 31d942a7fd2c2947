"""What a release would mean for a target's database, told from its manifest alone. Reads, never writes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.database import byhand, foreign, ledger, rights, target
from agent.database.connect import Connection, session
from agent.database.guard import judge, live
from agent.database.statements import decode
from agent.host.paths import TargetPaths
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.guardrails import Finding, Known, accepted, breaking, maintained
from agent.model.migrations import Comparison, compare
from agent.model.release import Release

_SHOWN: Final = 5
_RELATIONS: Final = """
    select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
                      and d.deptype = 'e')
    order by 1
"""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a deployment would find.

    Attributes:
        pending: files that it would apply.
        problems: every reason why it would not.
        findings: what the guard-rails say of the pending files whose text was sent along.
        closed: names of the migrations for which the app would be closed.
    """

    pending: Sequence[str] = ()
    problems: Sequence[IkomaError] = ()
    findings: Sequence[Finding] = field(default_factory=list)
    closed: Sequence[str] = ()


def of(
    home: TargetPaths, settings: Settings, release: Release, texts: Mapping[str, str] | None = None,
    accept: Sequence[str] = (),
) -> Forecast:  # fmt: skip
    """Return what deploying ``release`` would mean.

    Without a connection all files are pending; that is a problem unless the host makes the database itself. A
    database that does not answer is a problem too, and nothing is known to be pending.

    Args:
        texts: the migrations by file name; those with another checksum than the manifest's are not judged.
        accept: names of files that may break the running release.
    """
    running = home.current.exists()
    try:
        dsn = target.dsn(home)
        if dsn is None:
            absent = [] if settings.provision else [IkomaError("database.no_dsn", target=release.target)]
            names = [item.file for item in release.migrations]
            known = Known({}, running, frozenset(), frozenset(release.schemas))
            return _judged(Forecast(names, absent), release, texts or {}, known, accept)
        with session(dsn, "ikoma:deploy.plan") as connection:
            comparison = compare(release.migrations, ledger.read(connection))
            stopping = obstacles(connection, home, release, comparison)
            if not comparison.pending:
                return Forecast((), stopping)
            known = live.known(connection, running=running, owned=release.schemas)
        found = Forecast(comparison.pending, stopping)
        return _judged(found, release, texts or {}, known, accept)
    except IkomaError as error:
        return Forecast((), [error])


def obstacles(connection: Connection, home: TargetPaths, release: Release, comparison: Comparison) -> list[IkomaError]:
    """Return every reason why a database is not ready for a release: its ledger, another tool's, or a missing right."""
    other = foreign.find(connection) if comparison.pending and not ledger.read(connection) else None
    if other is not None:
        asked = release.target
        return [IkomaError("migration.foreign_ledger", kind=other.kind, count=len(other.rows), app=asked.app,
                           environment=asked.environment)]  # fmt: skip
    dsn = target.required(home, release.target)
    lacking = rights.problems(connection, dsn, release.schemas) if comparison.pending else []
    lacking += _made_by_others(connection, release) if comparison.pending else []
    return [*lacking, *byhand.explained(comparison.problems(), home, release.target)]


def _made_by_others(connection: Connection, release: Release) -> list[IkomaError]:
    """Refuse to migrate what no migration has made, whether or not it can be proven here; “warn” is how one insists."""
    if release.proof == "warn" or ledger.read(connection):
        return []
    found = [str(name) for (name,) in connection.execute(_RELATIONS.encode(), [list(release.schemas)])]
    if not found:
        return []
    shown = ", ".join([*found[:_SHOWN], "…"] if len(found) > _SHOWN else found)
    return [IkomaError("database.not_empty", database=connection.info.dbname, count=len(found), objects=shown,
                       app=release.target.app, environment=release.target.environment)]  # fmt: skip


def _judged(
    found: Forecast, release: Release, texts: Mapping[str, str], known: Known, accept: Sequence[str]
) -> Forecast:
    sums = {item.file: item.sha256 for item in release.migrations}
    sent = [
        (name, decode(texts[name].encode(), name)) for name in found.pending if _sum(texts.get(name, "")) == sums[name]
    ]
    told = judge.judge(sent, known)
    stopping = accepted(told, accept)
    closed = maintained(stopping) if release.maintenance else []
    problems = [item.error() for item in stopping if item not in closed]
    return Forecast(found.pending, [*found.problems, *problems], told, breaking(closed))


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
