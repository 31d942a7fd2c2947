"""Bring the release's images to this host, by digest."""

from __future__ import annotations

from agent.operations.step import Context, Outcome, Step
from agent.releases import images, incoming
from agent.releases.site import Site


class Pull(Step):
    """Pulls what is missing. Nothing to undo: an image that nobody uses changes nothing."""

    name = "pull"

    def apply(self, ctx: Context) -> Outcome:
        release = incoming.of(ctx).release
        site = Site.of(ctx, ctx.target)
        wanted = sorted({service.image for service in release.services.values()})
        missing = [reference for reference in wanted if site.engine.image(reference) is None]
        if not missing:
            return Outcome("skipped", f"{len(wanted)}/{len(wanted)}")
        images.pull(site, missing, release.platform, ctx.credentials, ctx.progress)
        return Outcome(detail=f"{len(missing)}/{len(wanted)}")
