"""What the steps that work with a target's database share."""

from __future__ import annotations

import os
from typing import Final

from agent.database import target
from agent.database.frame import Run
from agent.database.provision import Names
from agent.model import dsn as dsns
from agent.model.dsn import Dsn
from agent.model.release import Release
from agent.operations.step import Context
from agent.releases import incoming

ENVIRONMENT: Final = "from_environment"
"""The argument by which the host's own terminal says that the connection is the caller's, in its environment."""


def connection(ctx: Context) -> Dsn:
    """Return the target's connection, or what a person on the host has in the environment. Raises as ``required``."""
    if not ctx.args.get(ENVIRONMENT):
        return target.required(ctx.home, ctx.target)
    return dsns.parse(os.environ.get(target.DSN, "").strip(), target.DSN)


def schema(ctx: Context) -> str:
    """Return where unqualified names go."""
    if not ctx.args.get(ENVIRONMENT):
        return target.schema(ctx.home)
    return os.environ.get(target.SCHEMA, "").strip() or "public"


def run(ctx: Context, release: Release) -> Run:
    """Return the migration of this operation. Raises as ``connection``."""
    dsn = connection(ctx)
    ctx.redactor.add(dsn.password)
    return Run(
        dsn=dsn,
        folder=incoming.of(ctx).folder / "migrations",
        files=release.migrations,
        release=release.id,
        operation=ctx.operation,
        schemas=release.schemas,
        schema=schema(ctx),
        app_role=Names.of(ctx.target.slug).app,
        lang=ctx.lang,
        say=ctx.progress,
        docker_socket=ctx.settings.docker_socket,
        max_gb=release.backups.max_gb,
    )
