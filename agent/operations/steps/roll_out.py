"""Bring the release's containers up beside the old ones, and let them take over."""

from __future__ import annotations

import shutil

from agent.model import messages
from agent.operations.step import Context, Outcome, Step
from agent.releases import incoming, observe, prepare, proxy, records, render, rollout, undo
from agent.releases.site import Site


class RollOut(Step):
    """Carries the plan out. Its undo brings the former containers, names and routes back."""

    name = "roll-out"
    changes = True

    def apply(self, ctx: Context) -> Outcome:
        site, arriving = Site.of(ctx, ctx.target), incoming.of(ctx)
        prepared = prepare.prepare(site, arriving.release)
        prepare.refuse(prepared)
        plan = prepare.compare(site, prepared, ctx.args.get("accept") or (), ctx.args.get("fresh") or ())
        file = prepare.stage(site, prepared, ctx.operation)
        current = records.current(site)
        ctx.note(
            phase="starting",
            release=arriving.release.id,
            previous=current.release if current else None,
            before=undo.snapshot(site),
            beside=[move.service for move in plan.moves if move.how == "start-first"],
            networks=[network["Name"] for network in site.engine.networks()],
            routes=proxy.current(site),
        )
        for line in (*plan.render(ctx.lang), *([] if plan.nothing_to_do else prepared.notes(ctx.lang))):
            ctx.progress(line)
        render.materialise(arriving.release, arriving.folder, site.home.files)
        rollout.stand_ready(site, prepared)
        proven = bool(ctx.args.get("proven"))
        work = rollout.RollOut(site, prepared, plan, file, ctx.note, ctx.progress, ctx.redactor, ctx.lang, proven)
        work.run()
        ctx.note(
            phase="switched",
            serving=work.serving,
            old=[container for move in plan.moves for container in move.old],
            services=rollout.recorded(
                plan, prepared, observe.containers(site.engine, site.slug), prepare.gaps(site) | work.gaps
            ),
        )
        counts = {"total": len(plan.moves)}
        counts["count"] = changed = sum(move.action != "unchanged" for move in plan.moves)
        return Outcome(
            "done" if changed else "skipped",
            messages.text("roll_out.done", counts, ctx.lang),
            {"services": rollout.services(site, plan, work.serving, work.cut), "plan": plan.to_json()},
        )

    def undo(self, ctx: Context) -> str:
        notes = ctx.notes(self.name)
        if "before" not in notes:
            return ""
        site = Site.of(ctx, ctx.target)
        shutil.rmtree(prepare.staged(site, ctx.operation), ignore_errors=True)
        touched = undo.back(site, notes, ctx.redactor, settle=ctx.recovering)
        return str(notes.get("previous") or "–") if touched else ""
