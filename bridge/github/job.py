"""What a job says to its runner: masks, outputs, annotations. Foreign text can form none of it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from agent.host.envfile import parse
from agent.model.secret import Secret
from bridge.github.inputs import OUTPUTS

_SHORTEST: Final = 6
"""Shorter values stand in ordinary words: a mask for them would make logs unreadable and hide nothing."""
_LONGEST_OUTPUT: Final = 1024
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ORDINARY: Final = frozenset({"true", "false", "production", "staging", "development", "localhost"})


def masks(values: Iterable[Secret], username: str = "") -> list[str]:
    """Return what the runner has to mask before any of ``values`` is used: each whole, by line, and as it is derived.

    Args:
        username: the registry's user: with each value it forms the login that Docker's configuration holds.
    """
    found: dict[str, None] = {}
    for secret in values:
        for form in _forms(secret.reveal(), username):
            if len(form) >= _SHORTEST and form.lower() not in _ORDINARY and not form.isdecimal():
                found[form] = None
    return sorted(found, key=len, reverse=True)


def _forms(value: str, username: str) -> Iterator[str]:
    import base64

    lines = [line.strip() for line in value.splitlines() if line.strip()]
    yield from (value, value.strip(), value.replace("\\n", "\n").strip())
    yield from lines
    for entry in parse(value) if "=" in value else ():  # the values of an environment file, as the app will hold them
        if entry.key and entry.value:
            yield from (entry.value, *entry.value.splitlines())
    if len(lines) == 1:
        yield from (quote(value.strip(), safe=""), quote_plus(value.strip()), value.strip().encode().hex())
        if username:
            yield base64.b64encode(f"{username}:{value.strip()}".encode()).decode()


def command(name: str, value: str, properties: Mapping[str, str] | None = None) -> str:
    """Return a workflow command; whatever stands in ``value`` and ``properties``, it stays this one."""
    told = ",".join(f"{key}={_property(text)}" for key, text in (properties or {}).items() if text)
    return f"::{name}{' ' if told else ''}{told}::{_data(value)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def write_outputs(file: Path, values: Mapping[str, str]) -> None:
    """Append the outputs to GITHUB_OUTPUT. Foreign text keeps to its own output: one line, an unguessable delimiter."""
    text = "".join(_output(item.name, values.get(item.name, "")) for item in OUTPUTS)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)


def _output(name: str, value: str) -> str:
    delimiter = f"ikoma_{secrets.token_hex(16)}"
    plain = _CONTROL.sub(" ", value).encode(errors="replace").decode()[:_LONGEST_OUTPUT]
    return f"{name}<<{delimiter}\n{plain}\n{delimiter}\n"
