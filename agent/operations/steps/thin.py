"""Restore points that a target's policy does not keep go after a success, and before a deployment on a short disk."""

from __future__ import annotations

from collections.abc import Collection

from agent.database.backup import store
from agent.host.files import read_json
from agent.model.contract import Backups
from agent.operations.step import Context
from agent.releases import records
from agent.releases.site import Site


def thin(ctx: Context, keep: int, newest: Collection[str] = ()) -> list[str]:
    """Remove restore points beyond the latest ``keep`` that no recorded release needs; return their names."""
    folder = ctx.paths.backups / ctx.target.slug
    recorded = records.all_records(Site.of(ctx, ctx.target))
    needed = {*newest, *(str(item.get("restore_point")) for item in recorded)}
    gone = store.superfluous(store.all_of(folder), keep, needed)
    for name in gone:
        store.remove(folder, name)
    return gone


def as_recorded(ctx: Context) -> list[str]:
    """Remove what the release that serves does not keep; before the first one nothing."""
    site = Site.of(ctx, ctx.target)
    current = records.current(site)
    manifest = read_json(site.home.release(current.release) / records.MANIFEST) if current else None
    if manifest is None:
        return []
    return thin(ctx, int((manifest.get("backups") or {}).get("keep", Backups().keep)))
