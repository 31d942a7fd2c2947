"""The step that makes a target's database, where the host's administrator allows it and the target has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from agent.database import target
from agent.database.provision import Made, Names, provision
from agent.host import envfile
from agent.host.paths import TargetPaths
from agent.host.settings import Settings
from agent.model import dsn as dsns
from agent.model import messages
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.release import Release
from agent.operations.step import Context, Outcome, Step
from agent.releases import incoming

APP_KEY: Final = "DATABASE_URL"


def needed(ctx: Context) -> bool:
    """Whether a deployment has to make the database first, or (in a recovery) had begun to.

    A release that cannot be read is preflight's to name.
    """
    if ctx.notes(Provision.name):
        return True
    if not _allowed(ctx.settings, ctx.home):
        return False
    try:
        release = incoming.of(ctx).release
    except IkomaError:
        return False
    return makes(ctx.settings, ctx.home, release)


def makes(settings: Settings, home: TargetPaths, release: Release) -> bool:
    """Whether deploying ``release`` on this host begins with making its database."""
    return _allowed(settings, home) and (bool(release.migrations) or APP_KEY in release.required_env)


def _allowed(settings: Settings, home: TargetPaths) -> bool:
    return settings.provision and target.DSN not in envfile.read(home.agent_env)


class Provision(Step):
    """Makes database and roles, and writes both connections. Repeatable; never overwrites a value.

    It runs before ``preflight``, whose checks look at what it makes. Nothing is undone: an empty database and two
    roles harm nobody, and the next attempt uses them.
    """

    name = "provision"

    def apply(self, ctx: Context) -> Outcome:
        if envfile.read(ctx.home.agent_env).get(target.DSN):
            return Outcome("skipped", messages.text("provision.exists", {}, ctx.lang))
        ctx.note(begun=True)
        names = Names.of(ctx.target.slug)
        has_url = APP_KEY in envfile.read(ctx.home.app_env)
        made = provision(_administrator(ctx), names, _schemas(ctx), ctx.operation, keep_app=has_url)
        _write(ctx, made, has_url)
        said = {"database": names.database, "migrator": names.migrator, "app": names.app}
        return Outcome("done", messages.text("provision.done", said, ctx.lang))


def _administrator(ctx: Context) -> Dsn:
    if not ctx.settings.provision or not ctx.settings.admin_dsn:
        raise IkomaError("database.no_admin")
    admin = dsns.parse(ctx.settings.admin_dsn, "admin_dsn")
    ctx.redactor.add(admin.password)
    return admin


def _schemas(ctx: Context) -> list[str]:
    release: Release | None = incoming.of(ctx).release if ctx.bundle or ctx.args.get("release") else None
    return release.schemas if release else ["public"]


def _write(ctx: Context, made: Made, has_url: bool) -> None:
    """Write the app's connection first: the agent's is the mark that all is done."""
    ctx.redactor.add(made.migrator.password, made.app.password)
    if not has_url:
        envfile.write(ctx.home.app_env, {APP_KEY: _as_containers_see_it(made.app, ctx).url().reveal()})
    envfile.write(ctx.home.agent_env, {target.DSN: made.migrator.url().reveal()})


def _as_containers_see_it(app: Dsn, ctx: Context) -> Dsn:
    host, _, port = ctx.settings.database_address.rpartition(":")
    return replace(app, host=host.strip("[]"), port=int(port)) if host and port.isdigit() else app
