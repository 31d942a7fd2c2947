"""The plain YAML that package managers and most people write, read twenty times faster than by a whole parser. Pure.

Nested mappings and lists, quotes, anchors, aliases, merges, flow lists of scalars, block scalars (their lines joined by
blanks). Whatever is more (flow mappings, tags, several documents) is left to ruamel.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_LINE: Final = re.compile(r"^( *)(.*?)\s*$")
_KEY: Final = re.compile(
    r"""(?:'((?:[^']|'')*)'|"([^"\\]*)"|(<<)|([^\s'"#\[\]{}&*!|>%@`,?-][^#]*?|[^\s'"#\[\]{}&*!|>%@`,?][^#:]*?)):(?:\s+(.*))?$"""
)
_SCALAR: Final = re.compile(r"""'((?:[^']|'')*)'|"([^"\\]*)"|([^\s'"\[\]{}&*!|>%@`].*?)""")
_ITEM: Final = re.compile(r"""\s*('(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s'"\[\]{}&*!|>%@`,#][^\[\]{},#]*?)\s*(?:,|$)""")
_BLOCK: Final = re.compile(r"[|>][+-]?\d?[+-]?(?:\s+#.*)?")
_TRAIL: Final = re.compile(r"\s+#.*$")
_ANCHOR: Final = re.compile(r"&([\w.-]+)(?:\s+(.*))?$")
_ALIAS: Final = re.compile(r"\*([\w.-]+)$")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


class Unplain(ValueError):
    """The text uses more of YAML than is read here."""


class Broken(ValueError):
    """The text is no YAML. ``line`` and ``column`` are 1-based."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(reason)
        self.reason, self.line, self.column = reason, line, column


def load(text: str) -> Any:
    """Return the value in ``text``; numbers may stay text. Raises ``Broken`` when it is no YAML."""
    try:
        return _Reader(text).document()
    except Unplain:
        return _whole(text)
    except RecursionError:
        raise Broken("nested too deeply", 1, 1) from None


def _whole(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or "it cannot be read").splitlines()[0]
        raise Broken(reason, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1) from None
    except (RecursionError, ValueError) as error:
        raise Broken(str(error) or "nested too deeply", 1, 1) from None


class _Reader:
    """Goes through the lines once; ``at`` is the next one."""

    def __init__(self, text: str) -> None:
        self.lines = list(_lines(text))
        self.at = 0
        self.anchors: dict[str, Any] = {}

    def document(self) -> Any:
        if not self.lines:
            return None
        value = self._block(self.lines[0][0])
        if self.at != len(self.lines):
            raise Unplain
        return value

    def _block(self, indent: int) -> Any:
        return self._items(indent) if self.lines[self.at][1].startswith("-") else self._mapping(indent)

    def _mapping(self, indent: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            key, text = _pair(self.lines[self.at][1])
            self.at += 1
            value = self._value(text, indent)
            if key == "<<":
                merged |= _merged(value)
            elif key in found:
                raise Unplain  # a key twice is a fault, and the whole parser says where
            else:
                found[key] = value
        if self.at < len(self.lines) and self.lines[self.at][0] > indent:
            raise Unplain
        return merged | found if merged else found

    def _value(self, text: str | None, indent: int) -> Any:
        if text is None:
            return self._nested(indent)
        if _BLOCK.fullmatch(text):
            return self._text(indent)
        if text[0] == "&" and (match := _ANCHOR.fullmatch(text)):
            value = self._value(match[2] or None, indent)
            self.anchors[match[1]] = value
            return value
        if text[0] == "*" and (match := _ALIAS.fullmatch(text)) and match[1] in self.anchors:
            return self.anchors[match[1]]
        return self._flow(text) if text[0] == "[" else _scalar(text)

    def _text(self, indent: int) -> str:
        """A block scalar, its lines joined by blanks: what it says is looked at, how it is laid out is not."""
        found = []
        while self.at < len(self.lines) and self.lines[self.at][0] > indent:
            found.append(self.lines[self.at][1])
            self.at += 1
        return " ".join(found)

    def _flow(self, text: str) -> list[Any]:
        text = _TRAIL.sub("", text) if not text.endswith("]") else text
        while not text.endswith("]") and self.at < len(self.lines):
            text += " " + _TRAIL.sub("", self.lines[self.at][1])
            self.at += 1
        if not text.endswith("]"):
            raise Unplain
        inside, at, found = text[1:-1].strip(), 0, list[Any]()
        while at < len(inside):
            if (alias := re.match(r"\s*\*([\w.-]+)\s*(?:,|$)", inside[at:])) and alias[1] in self.anchors:
                found.append(self.anchors[alias[1]])
                at += alias.end()
                continue
            match = _ITEM.match(inside, at)
            if match is None:
                raise Unplain
            found.append(_scalar(match[1]))
            at = match.end()
        return found

    def _nested(self, indent: int) -> Any:
        if self.at >= len(self.lines):
            return None
        depth, text = self.lines[self.at]
        if depth > indent and text[0] == "[":
            self.at += 1
            return self._flow(text)
        if depth > indent:
            return self._block(depth)
        return self._items(indent) if depth == indent and text.startswith("- ") else None

    def _items(self, indent: int) -> list[Any]:
        found = []
        while self.at < len(self.lines) and self.lines[self.at][0] == indent and self.lines[self.at][1][0] == "-":
            text = self.lines[self.at][1]
            rest = text[2:].strip()
            if not text.startswith("- ") or rest.startswith("- "):
                raise Unplain
            if rest[0] not in "'\"" and _KEY.fullmatch(rest):
                # The dash counts as indentation: what follows belongs to the same mapping.
                depth = indent + len(text) - len(text[2:].lstrip())
                self.lines[self.at] = (depth, rest)
                found.append(self._mapping(depth))
                continue
            self.at += 1
            found.append(self._value(rest, indent))
        return found


def _merged(value: Any) -> dict[str, Any]:
    """The value of ``<<``: one mapping, or several of which the first wins."""
    found: dict[str, Any] = {}
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            raise Unplain
        found = {**item, **found}
    return found


def _pair(text: str) -> tuple[str, str | None]:
    match = _KEY.fullmatch(text)
    if match is None:
        raise Unplain
    single, double, merge, plain, value = match.groups()
    key = single.replace("''", "'") if single is not None else next(k for k in (double, merge, plain) if k is not None)
    value = _TRAIL.sub("", value) if value and value[0] not in "'\"[" else value
    return key, None if not value or value.startswith("#") else value


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for raw in text.split("\n"):
        match = _LINE.match(raw)
        if match is None or "\t" in raw[: len(match[1]) + 1] or match[2].startswith(("---", "...", "%")):
            raise Unplain
        if match[2] and not match[2].startswith("#"):
            yield len(match[1]), match[2]


def _scalar(text: str) -> Any:
    text = _TRAIL.sub("", text)
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    match = _SCALAR.fullmatch(text)
    if match is None:
        raise Unplain
    single, double, plain = match.groups()
    if single is not None:
        return single.replace("''", "'")
    if double is not None:
        return double
    if plain in _WORDS:
        return _WORDS[plain]
    if ": " in plain or plain.endswith(":"):
        raise Unplain
    return plain
