"""JSON that people write, with comments and trailing commas where tools allow them, and where entries stand. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

Path = tuple[str | int, ...]

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|//[^\n]*|/\*.*?\*/|[^\s{}\[\],:"/]+', re.DOTALL)
_COMMENT: Final = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)


class Broken(ValueError):
    """The text is no JSON. ``line`` and ``column`` are 1-based."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(reason)
        self.reason, self.line, self.column = reason, line, column


@dataclass(frozen=True, slots=True)
class Span:
    """Where an entry stands: character offsets of its key (or list item) and of its value."""

    key: int
    start: int
    end: int


class Document:
    """A parsed JSON text."""

    def __init__(self, text: str, value: Any) -> None:
        self.text, self.value = text, value

    @cached_property
    def spans(self) -> dict[Path, Span]:
        """Where every entry stands; computed when first asked, for findings and edits alone."""
        return _Walk(self.text).spans

    def position(self, *path: str | int) -> tuple[int, int]:
        """Return line and column (1-based) of an entry's key, or of the nearest entry around it."""
        for length in range(len(path), 0, -1):
            if (span := self.spans.get(path[:length])) is not None:
                return position(self.text, span.key)
        return 1, 1


def position(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column (1-based) of a character offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def parse(text: str, *, lenient: bool = False) -> Document:
    """Return the document in ``text``; ``lenient`` allows comments and trailing commas. Raises ``Broken``."""
    try:
        return Document(text, json.loads(text))
    except RecursionError:
        raise Broken("nested too deeply", 1, 1) from None
    except json.JSONDecodeError as error:
        if not lenient:
            raise Broken(error.msg, error.lineno, error.colno) from None
    plain = _TRAILING.sub(_blank, without_comments(text))
    try:
        return Document(text, json.loads(plain))
    except json.JSONDecodeError as error:
        raise Broken(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise Broken("nested too deeply", 1, 1) from None


def without_comments(text: str) -> str:
    """Return ``text`` with blanks for its comments."""
    return _COMMENT.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    """Keep strings; replace everything else by blanks, so that positions stay."""
    return match[1] or re.sub(r"[^\n]", " ", match[0])


class _Walk:
    """Goes through the tokens of a valid document once and notes where entries stand."""

    def __init__(self, text: str) -> None:
        self.spans: dict[Path, Span] = {}
        self.tokens = [match for match in _TOKEN.finditer(text) if not match[0].startswith(("//", "/*"))]
        self.at = 0
        if self.tokens:
            start = self.tokens[0].start()
            self.spans[()] = Span(start, start, self._value(()))

    def _value(self, path: Path) -> int:
        """Walk one value and return the offset behind it."""
        token = self._next()
        if token is None:
            return 0
        if token[0] == "{":
            return self._object(path)
        return self._list(path) if token[0] == "[" else token.end()

    def _object(self, path: Path) -> int:
        while (token := self._next()) is not None and token[0] != "}":
            if token[0] == ",":
                continue
            name = json.loads(token[0]) if token[0].startswith('"') else token[0]
            self._next()  # the colon
            start = self.tokens[self.at].start() if self.at < len(self.tokens) else token.end()
            self.spans[(*path, name)] = Span(token.start(), start, self._value((*path, name)))
        return token.end() if token else 0

    def _list(self, path: Path) -> int:
        index = 0
        while self.at < len(self.tokens) and self.tokens[self.at][0] != "]":
            if self.tokens[self.at][0] == ",":
                self.at += 1
                continue
            start = self.tokens[self.at].start()
            self.spans[(*path, index)] = Span(start, start, self._value((*path, index)))
            index += 1
        token = self._next()
        return token.end() if token else 0

    def _next(self) -> re.Match[str] | None:
        if self.at >= len(self.tokens):
            return None
        self.at += 1
        return self.tokens[self.at - 1]
