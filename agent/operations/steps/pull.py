"""Bring the release's images to this host, by digest."""

from __future__ import annotations

from pathlib import Path

from agent.model import messages
from agent.operations.step import Context, Outcome, Step
from agent.releases import carried, images, incoming, retention
from agent.releases.site import Site


class Pull(Step):
    """Pulls what is missing. Nothing to undo: an image that nobody uses changes nothing."""

    name = "pull"

    def apply(self, ctx: Context) -> Outcome:
        release = incoming.of(ctx).release
        site = Site.of(ctx, ctx.target)
        wanted = sorted({service.image for service in release.services.values()})
        retention.hold(site, wanted)
        missing = [reference for reference in wanted if site.engine.image(reference) is None]
        counts = {"count": len(missing), "total": len(wanted)}
        if not missing:
            return Outcome("skipped", messages.text("pull.nothing", counts, ctx.lang))
        brought = [reference for reference in missing if carried.has(ctx.bundle, reference)]
        for reference in brought:
            carried.load(site, ctx.bundle or Path(), reference, release.platform, ctx.progress)
        missing = [reference for reference in missing if reference not in brought]
        if missing:
            images.pull(site, missing, release.platform, ctx.credentials, ctx.progress, ctx.lang)
        if brought:
            counts["brought"] = len(brought)
            return Outcome(detail=messages.text("pull.brought", counts, ctx.lang))
        return Outcome(detail=messages.text("pull.done", counts, ctx.lang))
