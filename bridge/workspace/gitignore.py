"""``.gitignore`` as git evaluates it, so that generated files on a laptop are told from sources without git. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GLOB = re.compile(r"[*?\[\\]")
_ENDING = re.compile(r"\*[^*?\[\\]+")
_CLASS_END = re.compile(r"\[[!^]?\]?[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Line:
    """One pattern: ``by_name`` patterns look at the last part of a path only."""

    regex: re.Pattern[str]
    negated: bool
    folders_only: bool
    by_name: bool
    text: str


class Rules:
    """The patterns of one ``.gitignore``; paths are relative to its folder."""

    def __init__(self, text: str) -> None:
        self.lines = [line for raw in text.splitlines() if (line := _line(raw)) is not None]
        named = [line for line in self.lines if line.by_name]
        self._plain = frozenset(line.text for line in named if not _GLOB.search(line.text))
        self._endings = tuple(line.text[1:] for line in named if _ENDING.fullmatch(line.text))
        shaped = [line for line in named if _GLOB.search(line.text) and not _ENDING.fullmatch(line.text)]
        self._names = _any(shaped)
        self._paths = _any([line for line in self.lines if not line.by_name])

    def verdict(self, path: str, name: str, is_folder: bool) -> bool | None:
        """Return whether ``path`` is ignored; None when no pattern speaks of it."""
        # Nearly every file is spoken of by nothing: a set, its ending and two combined expressions say so at once.
        if not (
            name in self._plain
            or name.endswith(self._endings)
            or (self._names is not None and self._names.fullmatch(name))
            or (self._paths is not None and self._paths.fullmatch(path))
        ):
            return None
        for line in reversed(self.lines):
            if (is_folder or not line.folders_only) and line.regex.fullmatch(name if line.by_name else path):
                return not line.negated
        return None


def _any(lines: list[Line]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{line.regex.pattern})" for line in lines)) if lines else None


def _line(raw: str) -> Line | None:
    text = raw.rstrip() if not raw.endswith("\\ ") else raw
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text[1:] if negated else text
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    by_name = "/" not in text
    try:
        regex = re.compile(_translate(text.lstrip("/")))
    except re.error:
        return None
    return Line(regex, negated, folders_only, by_name, text) if text else None


def _translate(pattern: str) -> str:
    out, at = "", 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        out += piece
    return out


def _piece(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("**/", at):
        return "(?:.*/)?", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    char = pattern[at]
    if char == "[" and (match := _CLASS_END.match(pattern, at)):
        return match[0].replace("[!", "[^", 1).replace("\\", "\\\\"), match.end()
    if char == "\\" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), at + 2
    return {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)), at + 1
