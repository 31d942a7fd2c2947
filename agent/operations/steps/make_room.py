"""Before a deployment to a host whose disk is short: what the target's retention does not keep goes first."""

from __future__ import annotations

from pathlib import Path

from agent.host import platform
from agent.model import messages
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome, Step
from agent.operations.steps import thin
from agent.releases import retention
from agent.releases.site import Site


class MakeRoom(Step):
    """Removes only what this target owns and no rollback needs. Nothing to undo: it was due anyway."""

    name = "make-room"

    def apply(self, ctx: Context) -> Outcome:
        retired = retention.retire(Site.of(ctx, ctx.target))
        backups = thin.as_recorded(ctx)
        if not retired.releases and not retired.images and not retired.files and not backups:
            return Outcome("skipped")
        counts = {"containers": 0, "releases": len(retired.releases), "images": len(retired.images)}
        return Outcome(detail=messages.text("retire.done", counts | {"backups": len(backups)}, ctx.lang))


def needed(ctx: Context) -> bool:
    """Say whether less is free than a deployment wants; an Engine that does not answer is preflight's to tell."""
    folders = [ctx.paths.state, ctx.paths.apps, ctx.paths.backups]
    try:
        folders.append(Path(Site.of(ctx, ctx.target).engine.info().get("DockerRootDir", "/")))
    except IkomaError:
        return False
    return any(platform.free_mb(folder) < ctx.settings.min_free_mb for folder in folders)
