"""The plain YAML that package managers write: nested mappings and lists of scalars, twenty times faster. Pure.

Whatever is not plain (anchors, flow collections, block scalars, documents) is left to ruamel.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_LINE: Final = re.compile(r"^( *)(.*?)\s*$")
_KEY: Final = re.compile(
    r"""(?:'((?:[^']|'')*)'|"([^"\\]*)"|([^\s'"#\[\]{}&*!|>%@`,-][^#]*?|[^\s'"#\[\]{}&*!|>%@`,][^#:]*?)):(?:\s+(.*))?$"""
)
_SCALAR: Final = re.compile(r"""'((?:[^']|'')*)'|"([^"\\]*)"|([^\s'"\[\]{}&*!|>%@`].*?)""")
_TRAIL: Final = re.compile(r"\s+#.*$")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


class Unplain(ValueError):
    """The text uses more of YAML than is read here."""


def load(text: str) -> Any:
    """Return the value in ``text``. Raises ``ValueError`` when it is no YAML; its ``problem_mark`` may know where."""
    try:
        return _Reader(text).document()
    except Unplain:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            return YAML(typ="safe", pure=True).load(text)
        except YAMLError as error:
            raise broken(error) from None


class Broken(ValueError):
    """The text is no YAML. ``line`` and ``column`` are 1-based."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(reason)
        self.reason, self.line, self.column = reason, line, column


def broken(error: Any) -> Broken:
    """Return a fault of ruamel.yaml as one of ours."""
    mark = getattr(error, "problem_mark", None)
    reason = str(getattr(error, "problem", None) or "it cannot be read").splitlines()[0]
    return Broken(reason, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = list(_lines(text))
        self.at = 0

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
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            key, value = self._pair(self.lines[self.at][1])
            self.at += 1
            if value is None:
                found[key] = self._nested(indent)
            else:
                found[key] = _scalar(value)
        if self.at < len(self.lines) and self.lines[self.at][0] > indent:
            raise Unplain
        return found

    def _nested(self, indent: int) -> Any:
        if self.at >= len(self.lines):
            return None
        depth, text = self.lines[self.at]
        if depth > indent:
            return self._block(depth)
        return self._items(indent) if depth == indent and text.startswith("- ") else None

    def _items(self, indent: int) -> list[Any]:
        found = []
        while self.at < len(self.lines) and self.lines[self.at][0] == indent and self.lines[self.at][1][0] == "-":
            text = self.lines[self.at][1]
            if not text.startswith("- ") or _KEY.fullmatch(rest := text[2:].strip()):
                raise Unplain
            found.append(_scalar(rest))
            self.at += 1
        return found

    def _pair(self, text: str) -> tuple[str, str | None]:
        match = _KEY.fullmatch(text)
        if match is None:
            raise Unplain
        single, double, plain, value = match.groups()
        key = single.replace("''", "'") if single is not None else double if double is not None else plain
        value = _TRAIL.sub("", value) if value and value[0] not in "'\"" else value
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
