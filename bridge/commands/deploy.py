"""``bridge deploy apply`` and ``bridge deploy approve``: deploy what is built already, agree to a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.commands.options import HOST, REPOSITORY, Accept, IfBusy, Only, Override, Save, busy, shared
from bridge.pipeline.settings import Flags


@shared(*REPOSITORY, "registry", *HOST)
def apply(
    flags: Flags,
    release: Annotated[
        str,
        typer.Option(
            "--release",
            metavar="FILE|COMMIT",
            help="A kept release (a bundle or a release.json), or the commit whose release stands in the registry.",
        ),
    ] = "",
    only: Only = None,
    if_busy: IfBusy = "wait",
    accept: Accept = None,
    save: Save = None,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Send the images along: the host needs no way to the registry.")
    ] = False,
    override: Override = "",
) -> None:
    """Deploy without building: the images that the registry has for these sources, or a kept release.

    \b
    Examples:
      python -m bridge deploy apply
      python -m bridge pipeline run --save shop.tar.gz
      python -m bridge deploy apply --release shop.tar.gz --host other.example.com
      python -m bridge deploy apply --release shop.tar.gz --bundle
      python -m bridge deploy apply --release "$(git rev-parse v1.2.3^{commit})"
    """
    from bridge.commands.ending import deploy
    from bridge.pipeline import bundles
    from bridge.pipeline.run import Wish

    commit = release if bundles.is_commit(release) else ""
    file = Path(release) if release and not commit else None
    deploy(flags, Wish(only=tuple(only or ()), build=False, release=file, commit=commit,
                       if_busy=busy(if_busy), accept=tuple(accept or ()),
                       save=Path(save) if save else None, override=override, carry=bundle))  # fmt: skip


@shared(*REPOSITORY, *HOST)
def approve(
    flags: Flags,
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="Its id, as a plan or a refusal names it.")],
) -> None:
    """Agree to a release as a second key, where the host asks for one. Good for a day.

    \b
    Example:
      python -m bridge deploy approve r-0a1b2c3d4e5f --key ~/.ssh/reviewer
    """
    from bridge.commands.edge import console
    from bridge.pipeline.host import body, reach
    from bridge.pipeline.settings import Where

    where, speaker = Where(flags), console()
    with reach(where, where.target) as host:
        request = body(where, where.target, speaker.machine_lang, {"release": release})
        given = host.agent.read("deploy.approve", request)
    speaker.answer(given, speaker.text("policy.approved", key=given.get("key"), release=release))
