"""``bridge deploy apply``: deploy what is built already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.options import HOST, REPOSITORY, Accept, IfBusy, Only, Save, busy, shared
from bridge.pipeline.settings import Flags


@shared(*REPOSITORY, "registry", *HOST)
def apply(
    flags: Flags,
    release: Annotated[
        str, typer.Option("--release", metavar="FILE", help="A kept release: a bundle, or a release.json.")
    ] = "",
    only: Only = None,
    if_busy: IfBusy = "wait",
    accept: Accept = None,
    save: Save = None,
) -> None:
    """Deploy without building: the images that the registry has for these sources, or a kept release.

    \b
    Examples:
      python -m bridge deploy apply
      python -m bridge pipeline run --save shop.tar.gz
      python -m bridge deploy apply --release shop.tar.gz --host other.example.com
    """
    from bridge.commands.ending import deploy
    from bridge.pipeline.run import Wish

    deploy(flags, Wish(only=tuple(only or ()), build=False, release=Path(release) if release else None,
                       if_busy=busy(if_busy), accept=tuple(accept or ()),
                       save=Path(save) if save else None))  # fmt: skip
