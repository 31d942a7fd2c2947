"""What a job says to its runner: masks, outputs, annotations. Foreign text can form none of it."""

from __future__ import annotations

import base64
import json
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
_LONGEST_NUMBER: Final = 8
"""Ports, sizes and dates of an environment file stand in every log."""
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
            number = form.isdecimal() and len(form) <= _LONGEST_NUMBER
            if len(form) >= _SHORTEST and form.lower() not in _ORDINARY and not number:
                found[form] = None
    return sorted(found, key=len, reverse=True)


def _forms(value: str, username: str) -> Iterator[str]:
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    yield from (value, value.strip(), value.replace("\\n", "\n").strip())
    yield from lines
    for entry in parse(value) if "=" in value else ():  # the values of an environment file, as the app will hold them
        if entry.key and entry.value:
            yield from (entry.value, *entry.value.splitlines(), *_derived(entry.value))
    yield from _derived(value.strip())
    if len(lines) == 1 and username:
        yield base64.b64encode(f"{username}:{lines[0]}".encode()).decode()


def _derived(value: str) -> Iterator[str]:
    """Yield what programs make of a value when they pass it on: in addresses, in JSON, in headers, in dumps."""
    raw = value.encode(errors="replace")
    yield from (quote(raw, safe=""), quote_plus(raw), quote(raw), raw.hex(), json.dumps(value)[1:-1])
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    for text in _base64(raw):
        yield from (text, text.replace("+", "-").replace("/", "_"))


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the value in Base64: alone, and what stands of it in the middle of anything longer."""
    yield base64.b64encode(raw).decode()
    for before, foreign in enumerate((0, 2, 3)):
        text = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        yield text[foreign : len(text) - bool((before + len(raw)) % 3)]


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
