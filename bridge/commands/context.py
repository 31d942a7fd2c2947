"""``bridge context``: a laptop's settings under a name."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from bridge.commands.edge import console
from bridge.commands.options import HOST, shared
from bridge.pipeline import contexts
from bridge.pipeline.contexts import Contexts
from bridge.pipeline.settings import Flags

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, such as prod.")]
_SETTINGS = (*(name for name in HOST if name != "context"), "registry", "app", "environment")


@shared(*_SETTINGS)
def add(
    flags: Flags,
    name: Name,
    registry_user: Annotated[str, typer.Option("--registry-user", metavar="USER", help="Who pushes images.")] = "",
) -> None:
    """Keep settings under a name; the first context is used at once. Keys are kept as paths, tokens never.

    \b
    Examples:
      python -m bridge context add prod --host vps.example.com --key ~/.ssh/deploy --registry ghcr.io/you
      python -m bridge context add staging --host staging.example.com --env staging
    """
    values = {setting: getattr(flags, setting) for setting in _SETTINGS} | {"registry_user": registry_user}
    _told(contexts.add(os.environ, name, values), "context.added", name)


@shared()
def use(
    flags: Flags,  # noqa: ARG001 (--json alone)
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name; “-” uses none.")],
) -> None:
    """Use a context from now on. Options and BRIDGE_* variables still win over it.

    \b
    Examples:
      python -m bridge context use prod
      python -m bridge context use -
    """
    chosen = "" if name == "-" else name
    _told(contexts.use(os.environ, chosen), "context.used" if chosen else "context.unused", chosen)


@shared()
def remove(flags: Flags, name: Name) -> None:  # noqa: ARG001
    """Forget a context.

    \b
    Example:
      python -m bridge context remove staging
    """
    _told(contexts.remove(os.environ, name), "context.removed", name)


@shared()
def listing(flags: Flags) -> None:  # noqa: ARG001
    """Show the contexts; the one in use is marked.

    \b
    Examples:
      python -m bridge context list
      python -m bridge context list --json
    """
    found, speaker = contexts.load(os.environ), console()
    speaker.answer(_json(found), _text(found) or speaker.text("context.none"))


def _told(found: Contexts, message: str, name: str) -> None:
    speaker = console()
    speaker.answer(_json(found), speaker.text(message, name=name))


def _json(found: Contexts) -> dict[str, object]:
    return {"current": found.current or None, "contexts": found.known}


def _text(found: Contexts) -> str:
    from bridge.reports.text import table

    rows = [
        (
            "*" if name == found.current else "",
            name,
            " ".join(f"{key}={value}" for key, value in sorted(values.items())),
        )
        for name, values in sorted(found.known.items())
    ]
    return table(rows)
