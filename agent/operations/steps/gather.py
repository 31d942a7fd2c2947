"""Make the app that lies in its folder a release, and make the operation be about it."""

from __future__ import annotations

from agent.database import byhand
from agent.model import messages
from agent.operations import incoming as bodies
from agent.operations.step import Context, Outcome, Step
from agent.protocol import Credentials
from agent.releases import fromfolder
from agent.releases.site import Site


class Gather(Step):
    """Leaves the release where that of a sent bundle would lie. It changes nothing that runs."""

    name = "gather"

    def apply(self, ctx: Context) -> Outcome:
        place = bodies.folder(ctx.paths, ctx.operation)
        bodies.discard(place)
        place.mkdir(mode=0o700, parents=True)
        ctx.credentials = ctx.credentials or _own(ctx)
        site = Site.of(ctx, ctx.target)
        lying = fromfolder.make(site, place, byhand.kept(ctx.home), ctx.credentials, ctx.progress)
        ctx.bundle, ctx.args["release"] = lying.folder, lying.release.id
        ctx.note(release=lying.release.id)
        return Outcome(detail=messages.text("gather.done", {"release": lying.release.id, "folder": ctx.home.base}))


def _own(ctx: Context) -> Credentials | None:
    """Return the host's own login at its registry."""
    settings = ctx.settings
    ctx.redactor.add(settings.registry_token)
    host = settings.registry.partition("/")[0]
    return (
        Credentials(host, settings.registry_user, settings.registry_token.reveal()) if settings.registry_token else None
    )
