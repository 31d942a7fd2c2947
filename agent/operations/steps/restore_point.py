"""The step that saves the database before a migration changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from agent.database import compatibility, ledger, target
from agent.database.apply import tokens_of
from agent.database.backup import budget, dump, facts, names, store, touched, verify, wal
from agent.database.backup import outlook as outlooks
from agent.database.backup import source as sources
from agent.database.backup.budget import Choice, Estimate
from agent.database.backup.source import Source
from agent.database.connect import Connection, session
from agent.database.statements import decode
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.migrations import compare
from agent.model.release import Release
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import thin
from agent.releases import incoming, records
from agent.releases.site import Site

NAME: Final = store.RESTORE_POINT
_THERE: Final = """
    select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname || '.' || c.relname = any(%s) order by 1
"""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the restore point of a deployment would be."""

    source: Source
    choice: Choice
    pending: Sequence[str]
    size: int

    def estimate(self, files: int) -> Estimate:
        """Return what it would cost."""
        return outlooks.estimate(self.source.folder, self.size, files)


def needed(ctx: Context) -> bool:
    """Whether something is pending for a database that exists, or (in a recovery) a restore point was begun.

    What cannot be read or reached is preflight's to name.
    """
    if ctx.notes(NAME):
        return True
    try:
        release = incoming.of(ctx).release
        if not release.migrations or target.dsn(ctx.home) is None:
            return False
        return bool(_pending(ctx, release))
    except IkomaError:
        return False


def _pending(ctx: Context, release: Release) -> Sequence[str]:
    folder = incoming.of(ctx).folder / "migrations"
    with session(target.required(ctx.home, ctx.target), f"ikoma:{ctx.operation}") as connection:
        return compare(release.migrations, ledger.read(connection), partial(tokens_of, folder)).pending


def problems(ctx: Context, release: Release) -> list[IkomaError]:
    """Return every reason why the restore point cannot be taken as the contract allows. Changes nothing."""
    try:
        outlook = _outlook(ctx, release)
        if not outlook.pending:
            return []
        if outlook.choice.how == "skip":
            return _not_additive(ctx, outlook)
        if outlook.choice.how == "tables":
            _touched(ctx, outlook)
            return []
        if outlook.choice.how == "wal":
            return _archived(ctx, outlook)
        return _over(ctx, release, outlook) if outlook.choice.how == "database" else []
    except IkomaError as error:
        return [error]


def _outlook(ctx: Context, release: Release) -> Outlook:
    choice = budget.choice(str(word) for word in ctx.args.get("accept") or ())
    source = sources.of(ctx, ctx.target, ctx.operation, release.schemas)
    with session(source.dsn, source.session_name) as connection:
        return Outlook(source, choice, _pending(ctx, release), facts.size(connection))


def _over(ctx: Context, release: Release, outlook: Outlook) -> list[IkomaError]:
    place, found = ctx.paths.backups, outlook.estimate(len(release.migrations))
    return budget.problems(found, release.backups, outlooks.free(place), place, ctx.lang)


def _archived(ctx: Context, outlook: Outlook) -> list[IkomaError]:
    """Return why a named point in the server's archive would not do."""
    with session(outlook.source.strongest, outlook.source.session_name) as connection:
        return wal.obstacles(connection, ctx.lang)


def _texts(ctx: Context, outlook: Outlook) -> list[tuple[str, str]]:
    folder = incoming.of(ctx).folder / "migrations"
    return [(name, decode((folder / name).read_bytes(), name)) for name in outlook.pending]


def _not_additive(ctx: Context, outlook: Outlook) -> list[IkomaError]:
    return [
        IkomaError("backup.not_additive", file=item.file, line=item.line, statement=item.statement)
        for item in compatibility.incompatible(_texts(ctx, outlook))
    ]


def _touched(ctx: Context, outlook: Outlook) -> list[str]:
    """Return the tables to save that are there already."""
    named = touched.tables(_texts(ctx, outlook), target.schema(ctx.home))
    with session(outlook.source.dsn, outlook.source.session_name) as connection:
        return _there(connection, named)


def _there(connection: Connection, named: list[str]) -> list[str]:
    return [row[0] for row in connection.execute(_THERE, [named]).fetchall()]


class RestorePoint(Step):
    """Leaves a backup that the release's record names. It is kept when the deployment fails: it harms nobody."""

    name = NAME

    def apply(self, ctx: Context) -> Outcome:
        release = incoming.of(ctx).release
        for problem in problems(ctx, release):
            raise problem
        outlook = _outlook(ctx, release)
        if outlook.choice.how == "skip":
            warning = IkomaError("backup.skipped")
            ctx.journal.emit("warning", warning.to_json(ctx.lang))
            return _without(ctx, "skipped", warning.message(ctx.lang))
        if outlook.choice.how == "snapshot":
            said = messages.text("backup.trusted", {"name": outlook.choice.name}, ctx.lang)
            return _without(ctx, f"snapshot:{outlook.choice.name}", said)
        if outlook.choice.how == "wal":
            return _marked(ctx, outlook)
        return _taken(ctx, release, outlook)

    def undo(self, ctx: Context) -> str:
        """Remove what a killed dump left; a whole one stays."""
        store.sweep(ctx.paths.backups / ctx.target.slug)
        return ""


def _without(ctx: Context, recorded: str, said: str) -> Outcome:
    ctx.note(name=recorded)
    return Outcome("skipped", said, {"restore_point": {"name": recorded, "bytes": 0, "verified": False}})


def _marked(ctx: Context, outlook: Outlook) -> Outcome:
    name = names.fresh(NAME, ctx.operation)
    with session(outlook.source.strongest, outlook.source.session_name) as connection:
        point = wal.mark(connection, name)
    ctx.note(name=point.recorded)
    said = messages.text("backup.marked", {"name": point.name, "lsn": point.lsn}, ctx.lang)
    return Outcome(detail=said, result={"restore_point": {"name": point.recorded, "bytes": 0, "verified": False}})


def _taken(ctx: Context, release: Release, outlook: Outlook) -> Outcome:
    source, policy = outlook.source, release.backups
    ctx.redactor.add(source.strongest.password)
    ctx.progress(messages.text("backup.estimate", outlook.estimate(len(release.migrations)).said(policy), ctx.lang))
    name = names.fresh(NAME, ctx.operation)
    ctx.note(name=name)
    current = records.current(Site.of(ctx, ctx.target))
    tables = _touched(ctx, outlook) if outlook.choice.how == "tables" else []
    seconds = policy.max_minutes * 60
    wanted = dump.Wanted(name, NAME, current.release if current else "", release.id, tables, seconds)
    backup = dump.make(source, wanted)
    said = messages.text("backup.done", {"name": name, "mb": round(backup.bytes / budget.MB, 1)}, ctx.lang)
    verified = policy.verify == "every" and not tables
    if verified:
        done = verify.verify(source, backup, seconds)
        said += "; " + messages.text("backup.verified", {"tables": done.tables, "rows": done.rows}, ctx.lang)
    thin.thin(ctx, release.backups.keep, [name])
    facts_ = {"name": name, "bytes": backup.bytes, "seconds": backup.seconds, "verified": verified}
    return Outcome(detail=said, result={"restore_point": facts_})
