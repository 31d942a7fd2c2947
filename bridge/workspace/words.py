"""Replacing variables: in Dockerfiles as BuildKit does, in compose files as Compose does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from agent.model.errors import Misuse

_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])?(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTES: Final = "\"'"


class Unknown(Exception):
    """A text depends on a value that cannot be known here (it may come from a base image)."""


def expand(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """Return ``text`` of a Dockerfile with its variables replaced and its quotes removed.

    Raises:
        Unknown: a variable that ``values`` does not hold, or a pattern operation on one.
    """
    out, quote, at = "", "", 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'" and at + 1 < len(text):
            out, at = out + text[at + 1], at + 2
        elif char in _QUOTES and quote in ("", char):
            quote, at = ("" if quote else char), at + 1
        elif char == "$" and quote != "'":
            value, at = _dockerfile_variable(text, at, values, escape)
            out += value
        else:
            out, at = out + char, at + 1
    return out


def _dockerfile_variable(text: str, at: int, values: Mapping[str, str], escape: str) -> tuple[str, int]:
    if text[at + 1 : at + 2] == "{":
        end = _closing(text, at + 1)
        return _braced(text[at + 2 : end], values, escape), end + 1
    match = _NAME.match(text, at + 1)
    if match is None:
        return "$", at + 1
    if match[0] not in values:
        raise Unknown(match[0])
    return values[match[0]], match.end()


def _braced(inside: str, values: Mapping[str, str], escape: str) -> str:
    match = _BRACED.fullmatch(inside)
    if match is None or (match[3] and not match[2]):
        raise Unknown(inside)
    name, operator, word = match[1], match[2] or "", match[3]
    if name not in values:
        raise Unknown(name)
    present = bool(values[name]) if operator.startswith(":") else True
    if operator.endswith("-"):
        return values[name] if present else expand(word, values, escape)
    if operator.endswith("+"):
        return expand(word, values, escape) if present else ""
    return values[name]


def _closing(text: str, opening: int) -> int:
    """Return where the brace at ``opening`` is closed. Raises ``Unknown`` when it is not."""
    depth = 0
    for at in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise Unknown(text[opening:])


def interpolate(text: str, values: Mapping[str, str], where: str) -> str:
    """Return ``text`` of a compose file with ``$X``, ``${X:-default}`` and the like replaced.

    An unset variable without a default is refused here, where Compose would warn and use an empty text.

    Raises:
        Misuse: ``build.variable`` naming the variable and ``where`` it stands.
    """
    out = ""
    for literal, name, operator, word in _parts(text):
        out += literal
        if name:
            out += _value(name, operator, word, values, where)
    return out


def _value(name: str, operator: str, word: str, values: Mapping[str, str], where: str) -> str:
    value = values.get(name)
    present = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return interpolate(word, values, where) if present else ""
    if present and value is not None:
        return value
    if operator.endswith("-"):
        return interpolate(word, values, where)
    raise Misuse("build.variable", name=name, where=where)


def required_names(text: str) -> set[str]:
    """Return the variables without which ``text`` of a compose file has no value: no default stands there."""
    return {name for _, name, operator, _ in _parts(text) if name and not operator.endswith(("-", "+"))}


def demands(text: str) -> dict[str, str]:
    """Return, for each variable that ``text`` insists on (``${NAME:?why}``), what it says when there is none."""
    return {name: word for _, name, operator, word in _parts(text) if name and operator.endswith("?")}


def _parts(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield (literal, name, operator, word); ``name`` is empty at the end of the text."""
    literal, at = "", 0
    while at < len(text):
        if text[at] != "$":
            literal, at = literal + text[at], at + 1
        elif text[at + 1 : at + 2] == "$":
            literal, at = literal + "$", at + 2
        elif (found := _reference(text, at)) is None:
            literal, at = literal + "$", at + 1
        else:
            name, operator, word, at = found
            yield literal, name, operator, word
            literal = ""
    yield literal, "", "", ""


def _reference(text: str, at: int) -> tuple[str, str, str, int] | None:
    if text[at + 1 : at + 2] != "{":
        match = _NAME.match(text, at + 1)
        return (match[0], "", "", match.end()) if match else None
    try:
        end = _closing(text, at + 1)
    except Unknown:
        return None
    match = _BRACED.fullmatch(text[at + 2 : end])
    return (match[1], match[2] or "", match[3], end + 1) if match else None
