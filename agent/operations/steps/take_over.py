"""Take a compose project over that somebody started by hand. No container is touched: the next deployment does that."""

from __future__ import annotations

from dataclasses import asdict

from agent.model import messages
from agent.operations.step import Context, Outcome, Step
from agent.releases import adoption
from agent.releases.site import Site


class TakeOver(Step):
    """Records every volume and network that stays. Its undo forgets that."""

    name = "take-over"

    def apply(self, ctx: Context) -> Outcome:
        site = Site.of(ctx, ctx.target)
        kept = adoption.look(site)
        ctx.note(began=True)
        adoption.write(site, kept, ctx.operation)
        for name in kept.volumes:
            ctx.progress(messages.text("adopt.volume", {"name": name}, ctx.lang))
        for name in kept.networks:
            ctx.progress(messages.text("adopt.network", {"name": name}, ctx.lang))
        counts = {"services": len(kept.services), "volumes": len(kept.volumes), "networks": len(kept.networks)}
        return Outcome(detail=messages.text("adopt.done", counts, ctx.lang), result={"keeps": asdict(kept)})

    def undo(self, ctx: Context) -> str:
        if ctx.notes(self.name).get("began"):
            adoption.write(Site.of(ctx, ctx.target), None, ctx.operation)
        return ""
