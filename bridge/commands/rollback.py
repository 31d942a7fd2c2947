"""``bridge rollback``: back to a release that was healthy."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where


@shared(*REPOSITORY, *HOST)
def rollback(
    flags: Flags,
    to: Annotated[str, typer.Option("--to", metavar="RELEASE", help="Which one (default: the one before).")] = "",
) -> None:
    """Go back to a recorded healthy release, through the same steps and the same gate.

    \b
    Examples:
      python -m bridge rollback --app suite
      python -m bridge rollback --app suite --to r-0a1b2c3d4e5f
    """
    from bridge.commands.ending import finish
    from bridge.pipeline.host import body, perform, reach
    from bridge.reports.progress import progress

    where, speaker = Where(flags), console()
    target, args = where.target, {"to": to} if to else {}
    operation, face = where.operation(target, "deploy.rollback"), progress(speaker)
    with reach(where, target) as host, face.stage(f"rollback {target} · {operation}"):
        request = body(where, target, speaker.machine_lang, dict[str, Any](args))
        result = perform(host, "deploy.rollback", request, operation, face.event)
    finish(result, target, operation)
