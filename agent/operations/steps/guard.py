"""The guard-rails on the host: what the pending files would do to this database and to the release that runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from agent.database import ledger
from agent.database.apply import tokens_of
from agent.database.connect import session
from agent.database.guard import judge, live, squawk
from agent.database.statements import decode
from agent.host.files import write_json
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.guardrails import Finding, Known, accepted, breaking, maintained
from agent.model.migrations import compare
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import database
from agent.releases import incoming, records
from agent.releases.site import Site

NOTE: Final = "breaking"
"""Under this name preflight notes the migrations that an earlier release may not live with."""
MAINTENANCE: Final = "maintenance"
"""And under this one those for which the app is closed: they may go on for no other reason."""


def judged(
    ctx: Context, folder: Path, pending: Sequence[str], known: Known, *, maintenance: bool = False
) -> list[IkomaError]:
    """Return what stops the deployment; tell the rest as warnings, and note what a rollback has to know.

    Args:
        maintenance: the app may be closed for what its running release cannot live with.

    Raises:
        IkomaError: a file that cannot be read as SQL.
    """
    texts = [(name, decode((folder / name).read_bytes(), name)) for name in pending]
    found, spans = judge.examined(texts, known)
    names = [str(name) for name in ctx.args.get("accept") or ()]
    stopping = accepted(found, names)
    closed = maintained(stopping) if maintenance else []
    ctx.note(**{NOTE: breaking(found), MAINTENANCE: breaking(closed)})
    for finding in closed:
        ctx.journal.emit(
            "warning", IkomaError("guard.maintained", file=finding.file, line=finding.line).to_json(ctx.lang)
        )
    for finding in [*found, *_second_opinion(ctx, texts, spans)]:
        if finding not in stopping:
            _warn(ctx, finding)
    stopping = [finding for finding in stopping if finding not in closed]
    return [finding.error() for finding in stopping]


def _second_opinion(ctx: Context, texts: Sequence[tuple[str, str]], spans: Sequence[judge.Span]) -> list[Finding]:
    """Ask squawk where the host has it; it only warns, so that its own fault stops nothing."""
    try:
        return squawk.findings(texts, spans)
    except IkomaError as error:
        ctx.journal.emit("warning", error.to_json(ctx.lang))
        return []


def _warn(ctx: Context, finding: Finding) -> None:
    error = finding.error()
    if finding.reason:
        error = IkomaError("guard.allowed", file=finding.file, line=finding.line, rule=finding.rule,
                           reason=finding.reason)  # fmt: skip
    elif finding.blocks:
        error = IkomaError("guard.accepted", file=finding.file)
    ctx.journal.emit("warning", error.to_json(ctx.lang))


def stands(ctx: Context, applied: Sequence[str]) -> None:
    """After a failure: say what of ``applied`` the release that serves may not live with, and let rollbacks know it.

    Where the app was closed for one of them, the restore point is put back and nothing of it stays.

    Args:
        applied: names of the migrations that this operation committed; they stay.
    """
    noted = {name for step in ("preflight", Guard.name) for name in ctx.notes(step).get(NOTE, [])}
    names, site = [name for name in applied if name in noted], Site.of(ctx, ctx.target)
    current = records.current(site)
    restored = set(applied) & set(ctx.notes("preflight").get(MAINTENANCE, []))
    if not names or restored or current is None or ctx.notes().get("warned"):
        return
    remember(site, names)
    ctx.note(warned=True)
    files = ", ".join(f"{name}.sql" for name in names)
    warning = IkomaError("guard.stands", files=files, release=current.release).about(ctx.target.options)
    ctx.journal.emit("warning", warning.to_json(ctx.lang))


def remember(site: Site, names: Sequence[str]) -> bool:
    """Add migrations that earlier releases may not live with to the record of the serving one; say if there is one."""
    current = records.current(site)
    record = records.record(site, current.release) if current else None
    if record is None or not names:
        return False
    known = dict.fromkeys([*record.get("breaking", []), *names])
    write_json(site.home.release(str(record["release"])) / records.RECORD, record | {"breaking": list(known)})
    return True


class Guard(Step):
    """The same before ``db.migrate``, which has no preflight. It changes nothing."""

    name = "guard"

    def apply(self, ctx: Context) -> Outcome:
        release = incoming.of(ctx).release
        if not release.migrations:
            return Outcome("skipped", messages.text("migration.none", {}, ctx.lang))
        run = database.run(ctx, release)
        with session(run.dsn, f"ikoma:{ctx.operation}") as connection:
            comparison = compare(run.files, ledger.read(connection), partial(tokens_of, run.folder))
            known = live.known(connection, running=ctx.home.current.exists(), owned=release.schemas)
        for problem in comparison.problems():
            raise problem
        for error in judged(ctx, run.folder, comparison.pending, known):
            raise error
        return Outcome(detail=messages.text("guard.done", {"count": len(comparison.pending)}, ctx.lang))


class Remember(Step):
    """Adds what ``db.migrate`` applied to the record of the serving release: a rollback asks it what would break."""

    name = "remember"

    def apply(self, ctx: Context) -> Outcome:
        names = list(ctx.notes(Guard.name).get(NOTE, []))
        return Outcome(detail=", ".join(names)) if remember(Site.of(ctx, ctx.target), names) else Outcome("skipped")
