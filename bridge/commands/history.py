"""``bridge history``: what ran on a target."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where


@shared(*REPOSITORY, *HOST)
def history(
    flags: Flags,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, metavar="N", help="How many.")] = 20,
) -> None:
    """Show the latest operations: what, when, by whom, and how each ended.

    \b
    Examples:
      python -m bridge history
      python -m bridge history --app suite --env staging --limit 50 --json
    """
    from bridge.pipeline.host import body, reach

    where, speaker = Where(flags), console()
    target = where.target
    with reach(where, target) as host:
        result = host.agent.read("operations.list", body(where, target, speaker.machine_lang, {"limit": limit}))
    speaker.answer(result, text(result) or speaker.text("history.none"))


def text(result: dict[str, Any]) -> str:
    """Return a line an operation, the latest first."""
    from bridge.reports.text import table

    return table([_row(one) for one in result.get("operations") or []])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    client = one.get("client") or {}
    who = str(client.get("actor") or client.get("user") or one.get("key") or "")
    when = str(one.get("created") or "")[:19].replace("T", " ")
    return (
        when,
        str(one.get("capability", "")),
        str(one.get("status", "")),
        str(one.get("release") or ""),
        who,
        str(one.get("error") or one.get("id") or ""),
    )
