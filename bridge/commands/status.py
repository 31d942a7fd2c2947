"""``bridge status``: what serves, since when, and what is being done."""

from __future__ import annotations

from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where


@shared(*REPOSITORY, *HOST)
def status(flags: Flags) -> None:
    """Show what serves: release, services, and the operation that runs.

    \b
    Examples:
      python -m bridge status
      python -m bridge status --app suite --env staging --json
    """
    from bridge.pipeline.host import body, reach
    from bridge.reports import final, model

    where, speaker = Where(flags), console()
    target = where.target
    with reach(where, target) as host:
        report = model.status(target, host.agent.read("status.get", body(where, target, speaker.machine_lang, {})))
    speaker.answer(report, final.status(report, speaker))
