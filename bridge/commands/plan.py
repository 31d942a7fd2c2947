"""``bridge plan``: what a run would do, without doing it."""

from __future__ import annotations

import typer

from agent.model.errors import Exit
from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, Only, shared
from bridge.pipeline.settings import Flags, Where


@shared(*REPOSITORY, "registry", *HOST)
def plan(flags: Flags, only: Only = None) -> None:
    """Show what `pipeline run` would build, and what the host would then change. Changes nothing.

    \b
    Examples:
      python -m bridge plan
      python -m bridge plan --only website --json
    """
    from bridge.pipeline.planning import Planning
    from bridge.reports import final, model
    from bridge.reports.progress import progress

    speaker = console()
    planning = Planning(Where(flags), speaker, progress(speaker), tuple(only or ()))
    report = planning.run()
    speaker.answer(report, final.plan(report, speaker))
    if model.obstructed(report):
        raise typer.Exit(int(Exit.FAILED))
