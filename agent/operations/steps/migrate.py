"""The step that brings the database to what the release needs. What it commits stays: later files build on it."""

from __future__ import annotations

from functools import partial

from agent.database import ledger, target
from agent.database.apply import migrate, tokens_of
from agent.database.connect import session
from agent.database.fingerprint import catalog
from agent.database.frame import Run
from agent.database.proof import baseline, store
from agent.model import messages
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import Comparison, compare, stem
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import database, guard
from agent.operations.steps.prove import promise_broken, promised, recent, warn
from agent.releases import incoming


class Migrate(Step):
    """Applies the files that are pending, each in a transaction of its own."""

    name = "migrate"

    def apply(self, ctx: Context) -> Outcome:
        release = incoming.of(ctx).release
        if not release.migrations:
            return Outcome("skipped", messages.text("migration.none", {}, ctx.lang))
        run = database.run(ctx, release)
        before = _compared(run)
        for problem in before.problems():
            raise problem
        if not before.pending:
            _remember_proof(ctx, run)
            detail = messages.text("migration.nothing", {}, ctx.lang)
            return Outcome("skipped", detail, {"migrations": {"applied": [], "pending": []}})
        return self._migrated(ctx, run, before)

    def _migrated(self, ctx: Context, run: Run, before: Comparison) -> Outcome:
        try:
            applied = migrate(run)
        except IkomaError:
            ctx.note(result={"migrations": _standing(run, before)})
            raise
        result = {"migrations": {"applied": applied, "pending": []}}
        ctx.note(result=result)
        ctx.note(fingerprint=_kept_promise(ctx, run))
        said = {"count": len(applied), "last": applied[-1] if applied else "-"}
        return Outcome("done", messages.text("migration.applied", said, ctx.lang), result)

    def undo(self, ctx: Context) -> str:
        """Nothing is taken back: say so where the release that serves again may not live with it.

        After a kill, say also what the dead worker had committed, if the database can be asked.
        """
        if "result" in ctx.notes():
            guard.stands(ctx, ctx.notes()["result"]["migrations"]["applied"])
            return ""
        try:
            dsn = target.dsn(ctx.home)
            names = _committed(dsn, ctx.operation) if dsn else []
        except IkomaError:
            names = []
        guard.stands(ctx, names)
        return messages.text("migration.stand", {"names": ", ".join(names)}, ctx.lang) if names else ""


def _kept_promise(ctx: Context, run: Run) -> str:
    """Compare live with what the proof promised, if there is a proof; remember what live should be."""
    promise = promised(ctx)
    with session(run.dsn, f"ikoma:{run.operation}") as connection:
        taken = catalog.take(connection, app_role=run.app_role)
        found = promise.live.told(promise.fingerprint, taken) if promise else []
        kept = promise.fingerprint if promise and found else taken
        store.keep(connection, "schema", kept, run.release, run.operation)
    baseline.complete(incoming.of(ctx).folder, kept)
    if promise and found:
        _broken(ctx, promise_broken(ctx, promise.live, found))
    return taken.digest


def _broken(ctx: Context, error: IkomaError) -> None:
    if incoming.of(ctx).release.proof != "warn":
        raise error
    warn(ctx, error)


def _remember_proof(ctx: Context, run: Run) -> None:
    """Keep the fingerprint of a database that was proven but has none stored for its present state."""
    promise = promised(ctx)
    if promise and not recent(promise.live):
        live = promise.live
        kept = promise.fingerprint if live.told(promise.fingerprint) else live.taken
        with session(run.dsn, f"ikoma:{run.operation}") as connection:
            store.keep(connection, "schema", kept, run.release, run.operation)


def _compared(run: Run) -> Comparison:
    with session(run.dsn, f"ikoma:{run.operation}") as connection:
        return compare(run.files, ledger.read(connection), partial(tokens_of, run.folder))


def _committed(dsn: Dsn, operation: str) -> list[str]:
    with session(dsn, f"ikoma:{operation}") as connection:
        return ledger.of_operation(connection, operation)


def _standing(run: Run, before: Comparison) -> dict[str, list[str]]:
    """Say what of the pending files stands after a failure; the database itself is asked."""
    pending = [stem(name) for name in before.pending]
    try:
        names = _committed(run.dsn, run.operation)
    except IkomaError:
        names = []
    return {"applied": names, "pending": [name for name in pending if name not in names]}
