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
    restore_database: Annotated[
        bool, typer.Option("--restore-database", help="Put the database back too, where it was migrated since.")
    ] = False,
    backup: Annotated[str, typer.Option("--backup", metavar="NAME", help="Which backup (default: from then).")] = "",
    discard: Annotated[
        str, typer.Option("--discard", metavar="ROWS|all", help="How many rows written since then may be lost.")
    ] = "",
) -> None:
    """Go back to a recorded healthy release, through the same steps and the same gate.

    A release that cannot live with what was migrated since is refused, unless the database goes back as well.

    \b
    Examples:
      python -m bridge rollback --app suite
      python -m bridge rollback --app suite --to r-0a1b2c3d4e5f
      python -m bridge rollback --app suite --restore-database --discard 12
    """
    from bridge.commands.ending import finish
    from bridge.pipeline.host import body, perform, reach
    from bridge.reports.progress import progress

    where, speaker = Where(flags), console()
    target, args = where.target, arguments(to, backup or restore_database, discard)
    operation, face = where.operation(target, "deploy.rollback"), progress(speaker)
    with reach(where, target) as host, face.stage(f"rollback {target} · {operation}"):
        request = body(where, target, speaker.machine_lang, args)
        result = perform(host, "deploy.rollback", request, operation, face.event)
    finish(result, target, operation)


def arguments(to: str, database: str | bool, discard: str) -> dict[str, Any]:
    """Return what the host is asked for; what was not said is left out."""
    said: dict[str, Any] = {"to": to, "restore_database": database, "discard": discard}
    return {name: value for name, value in said.items() if value}
