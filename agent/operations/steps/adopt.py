"""The steps that record as applied what somebody else applied: from another tool's ledger, or after a comparison."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from agent.database import accepted, apply, foreign, ledger, statements
from agent.database.apply import alone, tokens_of
from agent.database.connect import Connection, session
from agent.database.fingerprint.compare import Difference
from agent.database.frame import Run
from agent.database.proof import rebuild, store
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.migrations import File, order, stem, version_of
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import database
from agent.operations.steps.prove import titles
from agent.releases import incoming


class Adopt(Step):
    """Takes the ledger of the Supabase CLI or dbmate over, and keeps it in step from then on."""

    name = "adopt"

    def apply(self, ctx: Context) -> Outcome:
        run = database.run(ctx, incoming.of(ctx).release)
        with session(run.dsn, f"ikoma:{ctx.operation}") as connection, alone(connection, run):
            found = foreign.find(connection)
            if found is None:
                raise IkomaError("adoption.none")
            known = {row.version for row in ledger.read(connection)}
            files = foreign.matched(found, run.files, known, statements.words, partial(_text, run))
            with connection.transaction():
                ledger.ensure(connection)
                _record(connection, run, files, "adopted")
                foreign.adopt(connection, found)
        result = {"adopted": {"from": found.kind, "migrations": [stem(item.file) for item in files]}}
        return Outcome(
            "done", messages.text("adoption.done", {"count": len(files), "kind": found.kind}, ctx.lang), result
        )


class Baseline(Step):
    """Records files as applied that somebody ran by hand, once what they make elsewhere equals the database."""

    name = "baseline"

    def apply(self, ctx: Context) -> Outcome:
        run = database.run(ctx, incoming.of(ctx).release)
        through = str(ctx.args["through"])
        files = _through(run, through)
        with session(run.dsn, f"ikoma:{ctx.operation}") as connection:
            live = rebuild.look(connection, run.app_role)
        if live.rows:
            raise IkomaError("baseline.history", count=len(live.rows))
        run = replace(run, files=files)
        differences = rebuild.rebuild(run, rebuild.taken_over(live, files), ctx.paths.state).differences
        wanted = {str(name) for name in ctx.args.get("accept") or ()}
        result = {"baseline": _told(ctx, run, differences, wanted)}
        if ctx.args.get("apply") is not True:
            said = {"count": len(files), "differences": len(differences)}
            return Outcome("skipped", messages.text("baseline.dry", said, ctx.lang), result)
        open_ = [item for item in differences if item.title not in wanted]
        if open_:
            raise IkomaError("baseline.differs", through=through, count=len(open_), objects=titles(open_),
                             first=open_[0].title)  # fmt: skip
        self._record(ctx, run, differences)
        result["baseline"]["recorded"] = [stem(item.file) for item in files]
        said = {"count": len(files), "accepted": len(differences)}
        return Outcome("done", messages.text("baseline.done", said, ctx.lang), result)

    def _record(self, ctx: Context, run: Run, differences: Sequence[Difference]) -> None:
        with session(run.dsn, f"ikoma:{ctx.operation}") as connection, alone(connection, run):
            if ledger.read(connection):
                raise IkomaError("baseline.history", count=len(ledger.read(connection)))
            live = rebuild.look(connection, run.app_role)
            with connection.transaction():
                ledger.ensure(connection)
                _record(connection, run, run.files, "baseline")
                accepted.keep(connection, live.taken, [item.key for item in differences])
                store.keep(connection, "schema", live.taken, "baseline", ctx.operation)


def _through(run: Run, through: str) -> list[File]:
    version = through.partition("_")[0]
    if not (version.isascii() and version.isdigit()) or version not in {version_of(item.file) for item in run.files}:
        raise IkomaError("baseline.no_file", through=through)
    return [item for item in run.files if order(version_of(item.file)) <= order(version)]


def _told(ctx: Context, run: Run, differences: Sequence[Difference], wanted: Collection[str]) -> dict[str, Any]:
    """Return what was found; with ``repair`` also the migration that makes a rebuild what the database is."""
    listed = [item.to_json() | {"title": item.title, "accepted": item.title in wanted} for item in differences]
    told: dict[str, Any] = {"equal": not differences, "files": len(run.files), "differences": listed, "recorded": []}
    if ctx.args.get("repair") is True and differences:
        last = version_of(run.files[-1].file)
        number = str(int(last) + 1).zfill(len(last))
        told["repair"] = {"file": f"{number}_as_found.sql", "sql": _repair(differences)}
    return told


def _repair(differences: Sequence[Difference]) -> str:
    parts = [f"-- {item.title}\n{item.sql.rstrip()}" for item in differences]
    return "-- What the database has beyond its migrations, found by comparing both.\n\n" + "\n\n".join(parts) + "\n"


def _record(connection: Connection, run: Run, files: Sequence[File], release: str) -> None:
    for item in files:
        apply.read(run.folder, item)
        connection.execute(foreign.row_of(item, tokens_of(run.folder, item), run.operation, release))


def _text(run: Run, item: File) -> str:
    return statements.decode((run.folder / item.file).read_bytes(), item.file)
