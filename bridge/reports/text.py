"""Text from elsewhere, made harmless; and the few shapes in which we print our own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

_ESCAPES: Final = r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])"
# Control characters, and the marks that reorder or hide what stands next to them, invisible letters among them.
_HIDDEN: Final = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
# Halves of characters: names of files that are no UTF-8 hold them, and no file or line can be written with them.
_HALVES: Final = "[\ud800-\udfff]"
_LONGEST: Final = 2000


def clean(text: object) -> str:
    """Return foreign text without escape sequences, control characters and direction marks, on one line."""
    plain = re.sub(_ESCAPES, "", str(text)[: _LONGEST * 4])
    plain = re.sub(_HIDDEN, "", plain.replace("\t", " ").replace("\n", " "))
    return re.sub(_HALVES, "\ufffd", plain)[:_LONGEST]


def clean_lines(text: object) -> list[str]:
    """Return foreign text as harmless lines; empty ones are dropped."""
    return [line for raw in str(text).splitlines() if (line := clean(raw).rstrip())]


def headline(text: object) -> str:
    """Return what foreign text says first: its first line, without the colon that announces the others."""
    first, *others = clean_lines(text) or [""]
    return first.removesuffix(":") if others else first


def inert(line: str) -> str:
    """Return ``line`` so that GitHub's runner takes it for no workflow command, wherever it is printed.

    The runner reads ``::name::`` at the start of a line and ``##[name]`` anywhere in it.
    """
    line = line.replace("##[", "# #[")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def seconds(value: float) -> str:
    """Return a duration for people: ``0.3 s``, ``12 s``, ``3 min 20 s``."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


def filled(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return ``rows`` without the columns that hold nothing below their heading."""
    kept = [index for index in range(len(rows[0])) if any(row[index] for row in rows[1:])]
    return [[row[index] for index in kept] for row in rows]


def table(rows: Iterable[Sequence[str]], *, indent: str = "") -> str:
    """Return ``rows`` as aligned columns, two spaces apart; the last column is left ragged."""
    lines = [tuple(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(row[i]) if i < len(row) else 0 for row in lines) for i in range(max(map(len, lines)))]
    return "\n".join(
        (indent + "  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row))).rstrip() for row in lines
    )
