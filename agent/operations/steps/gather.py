"""Make the app that lies in its folder a release, and make the operation be about it."""

from __future__ import annotations

import shutil
from typing import Final

from agent.database import byhand
from agent.model import messages
from agent.operations import incoming as bodies
from agent.operations.step import Context, Outcome, Step
from agent.protocol import Credentials
from agent.releases import fromfolder, records
from agent.releases.site import Site

_WRITTEN: Final = "as-written.yml"


class Gather(Step):
    """Leaves the release where that of a sent bundle would lie. Its undo gives the folder back what a commit took."""

    name = "gather"

    def apply(self, ctx: Context) -> Outcome:
        place = bodies.folder(ctx.paths, ctx.operation)
        bodies.discard(place)
        place.mkdir(mode=0o700, parents=True)
        ctx.credentials = ctx.credentials or _own(ctx)
        site = Site.of(ctx, ctx.target)
        lying = fromfolder.make(site, place, byhand.kept(ctx.home), ctx.credentials, ctx.progress)
        shutil.copyfile(ctx.home.compose, place / _WRITTEN)
        ctx.bundle, ctx.args["release"] = lying.folder, lying.release.id
        ctx.note(release=lying.release.id)
        return Outcome(detail=messages.text("gather.done", {"release": lying.release.id, "folder": ctx.home.base}))

    def undo(self, ctx: Context) -> str:
        place = bodies.folder(ctx.paths, ctx.operation)
        if not (place / _WRITTEN).exists() or records.current(Site.of(ctx, ctx.target)) is not None:
            return ""
        if not ctx.home.compose.exists():
            shutil.copyfile(place / _WRITTEN, ctx.home.compose)
        for file in (place / "migrations").glob("*.sql"):
            if not (byhand.folder(ctx.home) / file.name).exists():
                byhand.keep(ctx.home, file.name, file.read_bytes())
        return ""


def _own(ctx: Context) -> Credentials | None:
    """Return the host's own login at its registry."""
    settings = ctx.settings
    if not settings.registry_token:
        return None
    ctx.redactor.add(settings.registry_token)
    return Credentials(settings.registry.partition("/")[0], settings.registry_user, settings.registry_token.reveal())
