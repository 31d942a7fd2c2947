"""``bridge audit``: who called what on a host, and whether its history is whole."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent.model.errors import Exit, Misuse
from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where


@shared(*REPOSITORY, *HOST)
def audit(
    flags: Flags,
    result: Annotated[str, typer.Option("--result", metavar="ok|error|refused", help="Only calls that ended so.")] = "",
    capability: Annotated[str, typer.Option("--capability", metavar="NAME", help="Only calls of this one.")] = "",
    caller: Annotated[str, typer.Option("--caller", metavar="KEY", help="Only calls of this key.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, metavar="N", help="How many lines.")] = 30,
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole history on the host.")] = False,
    anchor: Annotated[
        str | None, typer.Option("--anchor", metavar="HEAD", help="With --verify: hold it to this head, of a report.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what was seen of this host.")] = False,
) -> None:
    """Show who called what, the latest first; without an app, of the whole host.

    Every command keeps the head of a host's history here and expects the next answer to continue it. --verify has
    the host check each line, and that it still holds what was seen from here; with --anchor, what the audit_head of
    a deployment's report says: a CI run keeps nothing.

    \b
    Examples:
      python -m bridge audit --result error
      python -m bridge audit --app suite --capability deploy.apply --json
      python -m bridge audit --verify
      python -m bridge audit --verify --anchor "$(jq -r .audit_head report.json)"
    """
    if anchor is not None and not verify:
        raise typer.BadParameter("--anchor says what --verify is held to: give both.")
    if verify or forget:
        return _verify(flags, anchor) if verify else _forget(flags)
    from bridge.pipeline.host import body, reach

    where, speaker = Where(flags), console()
    target = where.known_target
    asked = {"result": result, "capability": capability, "key": caller, "limit": limit}
    args = {name: value for name, value in asked.items() if value}
    with reach(where, target) as host:
        found = host.agent.read("audit.query", body(where, target, speaker.machine_lang, args))
    speaker.answer(found, text(found) or speaker.text("audit.none"))
    return None


def text(found: dict[str, Any]) -> str:
    """Return a row a line, the latest first."""
    from bridge.reports.text import table

    return table([_row(line) for line in found.get("entries") or []])


def _row(line: dict[str, Any]) -> tuple[str, ...]:
    names = ("appName", "capability", "result", "status", "key", "door", "error_id")
    when = str(line.get("ts", ""))[:19].replace("T", " ")
    return (str(line.get("seq", "")), when, *(str(line.get(name) or "") for name in names))


def _verify(flags: Flags, anchor: str | None) -> None:
    from agent.host.audit import Head
    from bridge.pipeline.host import body, reach
    from bridge.remote import heads

    given = None if anchor is None else Head.parse(anchor)
    if anchor is not None and given is None:  # an empty one too: a report without a head proves nothing
        raise Misuse("audit.anchor", anchor=anchor[:80])
    where, speaker = Where(flags), console()
    with reach(where, where.known_target) as host:
        seen = given or heads.kept(host.agent.identity())
        args = {"anchor": str(seen)} if seen else {}
        found = host.agent.read("audit.verify", body(where, None, speaker.machine_lang, args))
    speaker.answer({**found, "seen": str(seen or "")}, str(found.get("message", "")))
    if not found.get("ok"):
        raise typer.Exit(int(Exit.FAILED))


def _forget(flags: Flags) -> None:
    from bridge.pipeline.host import reach
    from bridge.remote import heads

    where, speaker = Where(flags), console()
    with reach(where, where.known_target) as host:
        heads.forget(host.agent.identity())
    speaker.answer({"forgotten": True}, speaker.text("audit.forgotten"))
