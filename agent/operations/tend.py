"""What the supervised unit does for targets nobody works on: their routes find them again."""

from __future__ import annotations

from agent.host import log
from agent.host import settings as host_settings
from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.operations.lock import HOUSEKEEPING, Holder, TargetLock
from agent.releases import reconcile
from agent.releases.site import Site


def tend(paths: Paths) -> list[str]:
    """Put the routes of every target right; return what was lost. A target that is worked on is left for next time."""
    settings = host_settings.load(paths)
    found = []
    for folder in sorted(paths.apps.glob("*/current.json")):
        if (target := Target.of_folder(folder.parent.name)) is None:
            continue
        site = Site(target, paths, settings)
        found += [f"{site.slug}/{service}" for service in _one(paths, site)]
    return found


def _one(paths: Paths, site: Site) -> list[str]:
    lock = TargetLock(paths, site.target)
    if not lock.take(Holder(HOUSEKEEPING, "reconcile")):
        return []
    try:
        return reconcile.reconcile(site)
    except IkomaError as error:  # the next round tries again
        log.record(paths, error)
        return []
    finally:
        lock.release()
