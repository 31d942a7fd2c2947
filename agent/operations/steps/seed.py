"""The step that sows rows to work with: files of the repository's ``seeds/``, one transaction each, never recorded."""

from __future__ import annotations

from typing import Any

from agent.database import batch, frame, statements
from agent.database.connect import Connection, session
from agent.database.frame import Failed, Run
from agent.database.statements import Statement
from agent.model import messages
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import database
from agent.releases import incoming


class Seed(Step):
    """Every file is parsed before the first is run."""

    name = "seed"

    def apply(self, ctx: Context) -> Outcome:
        sent: dict[str, Any] = ctx.args.get("seeds") or {}
        if not sent:
            return Outcome("skipped", messages.text("seed.none", {}, ctx.lang))
        run = database.run(ctx, incoming.of(ctx).release)
        texts = {str(name): statements.decode(str(text).encode(), str(name)) for name, text in sorted(sent.items())}
        parsed = {name: statements.split(text, name) for name, text in texts.items()}
        with session(run.dsn, f"ikoma:{ctx.operation}") as connection:
            for name, found in parsed.items():
                ctx.progress(messages.text("seed.applying", {"file": name}, ctx.lang))
                _sow(connection, run, name, found)
        return Outcome("done", messages.text("seed.done", {"count": len(parsed)}, ctx.lang), {"seeds": list(parsed)})


def _sow(connection: Connection, run: Run, name: str, found: list[Statement]) -> None:
    try:
        with connection.transaction():
            batch.execute(connection, frame.settled(connection, run))
            for statement in found:
                frame.execute(connection, statement)
            connection.execute(b";".join(frame.TAIL))
    except Failed as failure:
        error, statement = failure.error, failure.statement
        raise IkomaError(
            "migration.sql", file=name, line=statement.line, code=error.sqlstate, statement=statement.excerpt,
            reason=error.diag.message_primary or "", done="", hint=error.diag.message_hint or "",
        ) from None  # fmt: skip
