"""``bridge call``: any capability of the agent, by its name."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.model.errors import Misuse
from bridge.commands.edge import console
from bridge.commands.options import HOST, REPOSITORY, shared
from bridge.pipeline.settings import Flags, Where

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")


@shared(*REPOSITORY, *HOST)
def call(
    flags: Flags,
    capability: Annotated[
        str, typer.Argument(metavar="CAPABILITY", help="Its name, such as apps.logs; platform.capabilities lists them.")
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="key=value, key=@file, or key=- for stdin.")
    ] = None,
) -> None:
    """Call any capability of the agent.

    true, false, null, whole numbers, and JSON objects and lists are passed as such; everything else, and
    everything from a file or stdin, is text. Secrets go through a file or stdin, never on the command line.

    \b
    Examples:
      python -m bridge call platform.capabilities
      python -m bridge call apps.logs --app suite service=api tail=50
      python -m bridge call deploy.plan --app suite manifest=@release.json
    """
    from bridge.pipeline.host import reach

    where, speaker = Where(flags), console()
    args = parse(arguments or [], sys.stdin.read)
    target = where.known_target
    with reach(where, target) as host:
        if _changes(host, where, capability):
            operate(where, host, target, capability, args)
        else:
            _read(where, host, target, capability, args, speaker)


def parse(arguments: Sequence[str], stdin: Callable[[], str]) -> dict[str, Any]:
    """Return the arguments of a call as its JSON object.

    Raises:
        Misuse: ``cli.argument``, ``cli.argument_twice``, ``cli.stdin_twice`` or ``cli.unreadable``.
    """
    if sum(argument.partition("=")[2] == "-" for argument in arguments) > 1:
        raise Misuse("cli.stdin_twice")
    parsed: dict[str, Any] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not _KEY.fullmatch(key):
            raise Misuse("cli.argument", argument=key[:40])
        if key in parsed:
            raise Misuse("cli.argument_twice", key=key)
        parsed[key] = _value(value, stdin)
    return parsed


def _value(value: str, stdin: Callable[[], str]) -> Any:
    if value == "-":
        return stdin().removesuffix("\n")
    if value.startswith("@"):
        return _file(Path(value[1:])).removesuffix("\n")
    if value in ("true", "false", "null") or _INTEGER.fullmatch(value) or value[:1] in ("{", "["):
        import json

        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise Misuse("cli.unreadable", path=path, reason=reason) from None


def _changes(host: Any, where: Where, capability: str) -> bool:
    """Ask the agent what it can do: whether the capability starts an operation. An unknown one is left to it."""
    from bridge.pipeline.host import body

    known = host.agent.read("platform.capabilities", body(where, None, "en", {}))["capabilities"]
    return any(entry["name"] == capability and entry["changes"] for entry in known)


def _read(where: Where, host: Any, target: Any, capability: str, args: dict[str, Any], speaker: Any) -> None:
    import json

    from agent.protocol import answer_code
    from bridge.pipeline.host import body

    result = host.agent.read(capability, body(where, target, speaker.machine_lang, args))
    speaker.answer(result, json.dumps(result, ensure_ascii=False, indent=2))
    if code := answer_code(result):
        raise typer.Exit(int(code))


def operate(where: Where, host: Any, target: Any, capability: str, args: dict[str, Any]) -> dict[str, Any]:
    """Start an operation, follow it, and end as ``finish`` does; return its result when it succeeded."""
    from bridge.commands.ending import finish
    from bridge.pipeline.host import body, perform
    from bridge.reports.progress import progress

    target = target or where.target  # an operation always has a target: say so before the host does
    operation, face = where.operation(target, capability), progress(console())
    with face.stage(f"{capability} {operation}"):
        request = body(where, target, console().machine_lang, args)
        result = perform(host, capability, request, operation, face.event)
    finish(result, target, operation)
    return dict(result)
