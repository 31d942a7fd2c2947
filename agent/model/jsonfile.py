"""Reading a JSON file that people write: values, and the line each key stands on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from agent.model.errors import Misuse

Path = tuple[str | int, ...]

_WORD: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Located:
    """A parsed document and where its keys and items stand (1-based lines)."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of ``path`` or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if (found := self.lines.get(path[:length])) is not None:
                return found
        return 1


def parse(text: str, name: str) -> Located:
    """Parse ``text``. Raises ``Misuse("json.broken")`` with file, line and column; duplicate keys are refused."""
    try:
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise Misuse("json.broken", file=name, line=error.lineno, column=error.colno, reason=error.msg) from None
    except _Duplicate as error:
        raise Misuse("json.duplicate", file=name, key=error.args[0]) from None
    except RecursionError:
        raise Misuse("json.broken", file=name, line=1, column=1, reason="nested too deeply") from None
    return Located(value, _locate(text))


class _Duplicate(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _Duplicate(key)
        result[key] = value
    return result


def _locate(text: str) -> dict[Path, int]:
    """Walk the words of a valid document and note the line of every key and list item."""
    lines: dict[Path, int] = {(): 1}
    stack: list[str | int | None] = []  # one entry a container: the current key or index
    line, position, expect_key = 1, 0, False
    for match in _WORD.finditer(text):
        word = match.group()
        line += text.count("\n", position, match.start())
        position = match.start()
        in_list = bool(stack) and isinstance(stack[-1], int)
        if in_list and word not in ("]", ","):
            lines.setdefault(_path(stack), line)
        if word in "{[":
            stack.append(None if word == "{" else 0)
            expect_key = word == "{"
        elif word in "}]":
            stack.pop()
        elif word == ",":
            expect_key = not in_list
            stack[-1] = stack[-1] + 1 if isinstance(stack[-1], int) else None
        elif expect_key and word != ":":
            stack[-1] = json.loads(word)
            lines[_path(stack)] = line
            expect_key = False
    return lines


def _path(stack: list[str | int | None]) -> Path:
    return tuple(part for part in stack if part is not None)
