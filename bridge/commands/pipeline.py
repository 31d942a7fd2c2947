"""``bridge pipeline run``: the whole way from sources to a healthy release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.options import HOST, REPOSITORY, Accept, IfBusy, NoCheck, Only, Override, Save, busy, shared
from bridge.pipeline.settings import Flags


@shared(*REPOSITORY, "registry", *HOST)
def run(
    flags: Flags,
    only: Only = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask anew for the digests of images of others.")] = False,
    if_busy: IfBusy = "wait",
    accept: Accept = None,
    save: Save = None,
    no_check: NoCheck = False,
    override: Override = "",
) -> None:
    """Check, build what the registry lacks, plan, deploy, and wait until the release is healthy.

    What is done already is not done again: with nothing changed it builds, migrates and restarts nothing.

    \b
    Examples:
      python -m bridge pipeline run
      python -m bridge pipeline run --repo ../shop --env staging
      python -m bridge pipeline run --only website --json
    """
    from bridge.commands.ending import deploy
    from bridge.pipeline.run import Wish

    deploy(flags, Wish(only=tuple(only or ()), check=not no_check, refresh=refresh, if_busy=busy(if_busy),
                       accept=tuple(accept or ()), save=Path(save) if save else None,
                       override=override))  # fmt: skip
