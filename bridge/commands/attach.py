"""``bridge attach``: follow an operation again, from the start or from an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where

if TYPE_CHECKING:
    from agent.protocol import Event


@shared(*REPOSITORY, *HOST)
def attach(
    flags: Flags,
    operation: Annotated[
        str, typer.Argument(metavar="OPERATION", help="The operation's id, as its start or the status shows it.")
    ],
    after: Annotated[int, typer.Option("--after", min=0, metavar="N", help="Only events after number N.")] = 0,
    events: Annotated[
        bool, typer.Option("--events", help="Print each event as a line of JSON, and nothing else.")
    ] = False,
) -> None:
    """Follow an operation: every event from the start, then live, until it ends.

    Ends with the exit code of the operation. Any number of people may attach.

    \b
    Examples:
      python -m bridge attach 0193a0c4-7b1e-7cc3-98c4-dc0c0c07398f
      python -m bridge attach 0193a0c4-7b1e-7cc3-98c4-dc0c0c07398f --after 12 --app suite
    """
    from agent.model.names import check_operation
    from agent.protocol import exit_code
    from bridge.commands.ending import finish
    from bridge.pipeline.host import reach
    from bridge.reports.progress import progress

    where, speaker, operation = Where(flags), console(), check_operation(operation)
    target = where.known_target
    face = progress(speaker)
    show = _print if events else face.event
    with reach(where, target) as host, face.stage(operation):
        result = host.agent.attach(operation, after, show)
    if events:
        raise typer.Exit(int(exit_code(str(result.get("status", "")))))
    finish(result, target, operation)


def _print(event: Event) -> None:
    from agent.protocol import encode_line
    from bridge.reports.console import masked

    speaker = console()
    speaker.out.write(encode_line(masked(event.to_json(), speaker.redactor)).decode())
    speaker.out.flush()
