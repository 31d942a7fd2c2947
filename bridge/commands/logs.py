"""``bridge logs``: the last lines of an app's services."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where


@shared(*REPOSITORY, *HOST)
def logs(
    flags: Flags,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Only this service.")] = "",
    tail: Annotated[int, typer.Option("--tail", min=1, max=2000, metavar="N", help="How many lines.")] = 100,
) -> None:
    """Show the last lines of the services' logs.

    \b
    Examples:
      python -m bridge logs
      python -m bridge logs api --tail 500 --app suite
    """
    from bridge.pipeline.host import body, reach

    where, speaker = Where(flags), console()
    target = where.target
    args: dict[str, Any] = {"tail": tail} | ({"service": service} if service else {})
    with reach(where, target) as host:
        result = host.agent.read("apps.logs", body(where, target, speaker.machine_lang, args))
    speaker.answer(result, text(result) or speaker.text("say.no_logs", target=target))


def text(result: dict[str, Any]) -> str:
    """Return the lines in the order of time, each with its service in front."""
    lines = [(str(line.get("service", "")), str(line.get("line", ""))) for line in result.get("lines") or []]
    width = max((len(service) for service, _ in lines), default=0)
    return "\n".join(f"{service.ljust(width)} | {line}" for service, line in lines)
