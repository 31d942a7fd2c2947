"""The step that makes sure of a target's database: it is there, it answers, and its role may migrate it."""

from __future__ import annotations

from agent.database import rights, target
from agent.database.connect import session
from agent.model import messages
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps.provision import Provision


class Ensure(Step):
    """Makes what is missing where the host may; otherwise says what stands in the way. Repeatable, replaces nothing."""

    name = "ensure"

    def apply(self, ctx: Context) -> Outcome:
        if target.dsn(ctx.home) is None:
            Provision().apply(ctx)
        dsn = target.required(ctx.home, ctx.target)
        ctx.redactor.add(dsn.password)
        with session(dsn, f"ikoma:{ctx.operation}") as connection:
            for problem in rights.problems(connection, dsn, [target.schema(ctx.home)]):
                raise problem
        return Outcome(detail=messages.text("database.ensured", {"where": dsn.where}, ctx.lang))
