"""``bridge logs``: the last lines of an app's services, and with ``--follow`` those that come."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import typer

from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where
from bridge.reports.console import Console, masked

WAIT_S: Final = 20
"""How long the host may wait for a line before it answers that there is none."""


@shared(*REPOSITORY, *HOST)
def logs(
    flags: Flags,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Only this service.")] = "",
    tail: Annotated[int, typer.Option("--tail", min=1, max=2000, metavar="N", help="How many lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Show the last lines of the services' logs.

    With --follow and --json each line is a JSON object of its own.

    \b
    Examples:
      python -m bridge logs
      python -m bridge logs api --tail 500 --app suite
      python -m bridge logs --follow --app suite
    """
    from bridge.pipeline.host import body, reach

    where, speaker = Where(flags), console()
    target = where.target
    args: dict[str, Any] = {"tail": tail} | ({"service": service} if service else {})
    with reach(where, target) as host:

        def ask(more: dict[str, Any]) -> dict[str, Any]:
            return host.agent.read("apps.logs", body(where, target, speaker.machine_lang, args | more))

        result = ask({})
        if not follow:
            speaker.answer(result, text(result) or speaker.text("say.no_logs", target=target))
            return
        while True:
            show(result, speaker)
            result = ask({"cursor": result["cursor"], "wait": WAIT_S, "tail": 2000})


def show(result: dict[str, Any], speaker: Console) -> None:
    """Print the lines of one answer of many; with ``--json`` they are the answer, and nothing follows them."""
    if not speaker.as_json:
        if said := text(result):
            speaker.say(said)
        return
    speaker.answered = True
    for line in result.get("lines") or []:
        speaker.raw(json.dumps(masked(line, speaker.redactor), ensure_ascii=False))


def text(result: dict[str, Any]) -> str:
    """Return the lines in the order of time, each with its service in front."""
    lines = [(str(line.get("service", "")), str(line.get("line", ""))) for line in result.get("lines") or []]
    width = max((len(service) for service, _ in lines), default=0)
    return "\n".join(f"{service.ljust(width)} | {line}" for service, line in lines)
