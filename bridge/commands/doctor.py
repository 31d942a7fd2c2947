"""``bridge doctor``: what is wrong here or there, and what to do about it."""

from __future__ import annotations

import typer

from agent.model.errors import Exit
from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where


@shared(*REPOSITORY, *HOST)
def doctor(flags: Flags) -> None:
    """Find what is wrong on this machine, on the host and with the app, each with its remedy. Changes nothing.

    \b
    Examples:
      python -m bridge doctor
      python -m bridge doctor --app suite --json
    """
    from bridge.pipeline.doctor import examine

    where, speaker = Where(flags), console()
    looked: list[str] = []
    found = examine(where, speaker.machine_lang, looked.append)
    report = {"healthy": not found, "looked_at": looked, "findings": [one._asdict() for one in found]}
    told = "\n".join(f"{one.message}\n  → {one.remedy}" if one.remedy else one.message for one in found)
    speaker.answer(report, told or speaker.text("doctor.well"))
    if found:
        raise typer.Exit(int(Exit.FAILED))
