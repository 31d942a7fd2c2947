"""What the steps that work with a target's database share."""

from __future__ import annotations

from agent.database import target
from agent.database.frame import Run
from agent.database.provision import Names
from agent.model.release import Release
from agent.operations.step import Context
from agent.releases import incoming


def run(ctx: Context, release: Release) -> Run:
    """Return the migration of this operation. Raises ``IkomaError("database.no_dsn")``."""
    dsn = target.required(ctx.home, ctx.target)
    ctx.redactor.add(dsn.password)
    return Run(
        dsn=dsn,
        folder=incoming.of(ctx).folder / "migrations",
        files=release.migrations,
        release=release.id,
        operation=ctx.operation,
        schemas=release.schemas,
        schema=target.schema(ctx.home),
        app_role=Names.of(ctx.target.slug).app,
        lang=ctx.lang,
        say=ctx.progress,
    )
