"""The options that commands share, declared once."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from bridge.pipeline.settings import Flags

OPTIONS: dict[str, Any] = {
    "repo": Annotated[
        Path, typer.Option("--repo", metavar="DIR", help="The app's repository, or a folder in it.")
    ],
    "app": Annotated[str, typer.Option("--app", metavar="APP", help="The app, where there is no repository.")],
    "environment": Annotated[str, typer.Option("--env", metavar="ENV", help="The environment (default: production).")],
    "host": Annotated[str, typer.Option("--host", metavar="HOST", help="The host (BRIDGE_HOST, or the contract).")],
    "port": Annotated[str, typer.Option("--port", metavar="PORT", help="Its SSH port (BRIDGE_PORT; default: 22).")],
    "user": Annotated[str, typer.Option("--user", metavar="USER", help="Its user (BRIDGE_USER; default: ikoma).")],
    "key": Annotated[str, typer.Option("--key", metavar="FILE", help="The SSH key's file (BRIDGE_SSH_KEY).")],
    "known_hosts": Annotated[
        str, typer.Option("--known-hosts", metavar="FILE", help="Host keys to trust (BRIDGE_KNOWN_HOSTS).")
    ],
    "host_key": Annotated[
        str, typer.Option("--host-key", metavar="KEY", help="The one host key to trust (BRIDGE_HOST_KEY).")
    ],
    "context": Annotated[
        str, typer.Option("--context", metavar="NAME", help="Settings kept under a name (BRIDGE_CONTEXT).")
    ],
    "registry": Annotated[
        str, typer.Option("--registry", metavar="PREFIX", help="Where images go (BRIDGE_REGISTRY).")
    ],
    "as_json": Annotated[
        bool, typer.Option("--json", help="Answer with one JSON object on stdout; all else goes to stderr.")
    ],
}  # fmt: skip

REPOSITORY = ("repo", "app", "environment")
HOST = ("host", "port", "user", "key", "known_hosts", "host_key", "context")

Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="SERVICE", help="Only this service; repeat it for more.")
]  # fmt: skip
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="WHAT", help="replace:SERVICE, a migration that may break the running release, or "
                 "restore-point:tables|snapshot:NAME|wal|skip; repeat it for more."),
]  # fmt: skip
IfBusy = Annotated[
    str, typer.Option("--if-busy", metavar="wait|refuse", help="What to do while another operation holds the app.")
]  # fmt: skip
Override = Annotated[
    str,
    typer.Option("--override", metavar="REASON", help="Deploy in spite of a closed window or a freeze; it is audited."),
]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Build even though the check would stop it.")]
Save = Annotated[
    str | None, typer.Option("--save", metavar="FILE", help="Keep the release: a bundle, or with .json its manifest.")
]  # fmt: skip


def busy(value: str) -> Literal["wait", "refuse"]:
    """Return what ``--if-busy`` says. Raises ``typer.BadParameter``."""
    if value == "wait":
        return "wait"
    if value == "refuse":
        return "refuse"
    raise typer.BadParameter("must be wait or refuse", param_hint="--if-busy")


def shared(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these shared options, and hand them to it as its one parameter ``flags``.

    Typer reads the signature that this builds; the command itself stays small.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            flags = Flags(**{name: given.pop(name) for name in (*names, "as_json")})
            command(flags=flags, **given)

        own = _own_parameters(command)
        parameters = [*own, *(_parameter(name) for name in (*names, "as_json"))]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del run.__wrapped__
        return run

    return decorate


def _own_parameters(command: Callable[..., None]) -> list[inspect.Parameter]:
    hints = typing.get_type_hints(command, include_extras=True)
    return [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command).parameters.items()
        if name != "flags"
    ]


_DEFAULTS = {item.name: item.default for item in fields(Flags)}


def _parameter(name: str) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=_DEFAULTS[name], annotation=OPTIONS[name])
