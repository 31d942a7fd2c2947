"""``apps.remove``: take an app off this host. Its name is typed again; volumes and database go only when told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.capabilities.call import Call
from agent.model.errors import IkomaError, Misuse

if TYPE_CHECKING:
    from agent.operations.step import Context, Step


def check(call: Call) -> None:
    """Refuse without the typed name, for what is not here, and a database that nobody could drop."""
    from agent.releases.site import Site

    site = Site.of(call, call.the_target)
    if call.args.get("confirm") != site.slug:
        raise Misuse("remove.confirm", slug=site.slug)
    if not site.home.base.exists() and not site.engine.containers(site.slug):
        raise Misuse("release.none", slug=site.slug)
    if call.args.get("database") and not call.settings.admin_dsn:
        raise IkomaError("remove.no_admin")


def steps(ctx: Context) -> list[Step]:
    """Return the steps: a last backup where there is a database, then everything else."""
    from agent.capabilities.db_backup import Backup
    from agent.database import target
    from agent.operations.steps.remove import DropDatabase, Forget, Remove

    saved: list[Step] = [Backup()] if target.dsn(ctx.home) is not None else []
    dropped: list[Step] = [DropDatabase()] if ctx.args.get("database") else []
    return [*saved, Remove(), *dropped, Forget()]
