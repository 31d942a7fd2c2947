"""``.dockerignore`` as Docker evaluates it: the last matching pattern wins, a pattern also covers what is below."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WILD: Final = frozenset("*?[]\\")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line: what it matches, and whether it takes back (``!``)."""

    regex: re.Pattern[str]
    negated: bool
    text: str


class Ignore:
    """Answers whether a path of a build context (relative, with ``/``) is left out."""

    def __init__(self, text: str = "") -> None:
        self.patterns = _patterns(text)
        self._takes_back = any(pattern.negated for pattern in self.patterns)

    def ignores(self, path: str) -> bool:
        """Return whether the file or folder ``path`` itself is left out."""
        parts = path.split("/")
        prefixes = ["/".join(parts[: length + 1]) for length in range(len(parts))]
        ignored = False
        for pattern in self.patterns:
            # A pattern that would not change the answer need not be asked.
            if pattern.negated == ignored and any(pattern.regex.match(prefix) for prefix in reversed(prefixes)):
                ignored = not pattern.negated
        return ignored

    def prunes(self, folder: str) -> bool:
        """Return whether nothing below ``folder`` can be part of the context, so that it need not be read."""
        return self.ignores(folder) and not (self._takes_back and self._may_come_back(folder))

    def _may_come_back(self, folder: str) -> bool:
        depth = folder.count("/") + 1
        for pattern in self.patterns:
            if pattern.negated:
                head = pattern.text.split("/")[:depth]
                if "**" in pattern.text or all(_fits(p, f) for p, f in zip(head, folder.split("/"), strict=False)):
                    return True
        return False


def for_dockerfile(dockerfile: Path, context: Path) -> Ignore:
    """Return the rules for a build: ``<Dockerfile>.dockerignore`` beside it, else the context's ``.dockerignore``."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    return read(own if own.is_file() else context / ".dockerignore")


def read(file: Path) -> Ignore:
    """Return the rules in ``file``; none when it does not exist."""
    return Ignore(file.read_text(encoding="utf-8-sig", errors="replace")) if file.is_file() else Ignore()


def _fits(pattern: str, name: str) -> bool:
    return _regex(pattern).match(name) is not None


def _patterns(text: str) -> list[Pattern]:
    found = []
    for raw in text.splitlines():
        line = raw.strip()
        if not line or raw.startswith("#"):
            continue
        negated = line.startswith("!")
        line = line[1:].strip() if negated else line
        line = posixpath.normpath(line).lstrip("/") if line else ""
        if line and line != ".":
            found.append(Pattern(_regex(line), negated, line))
    return found


def _regex(pattern: str) -> re.Pattern[str]:
    """Translate as Docker does; a pattern without a wildcard is taken literally."""
    if not _WILD & set(pattern):
        return re.compile(re.escape(pattern) + r"\Z")
    out, at = "", 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        out += piece
    return re.compile(out + r"\Z")


def character_class(text: str) -> str:
    """Return ``[a-c]`` or ``[^x]`` of a pattern as a regular expression has it."""
    return "[" + text[1:].replace("\\", "\\\\").replace("[", "\\[")


def _piece(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if pattern.startswith("**", at):
        if at + 2 == len(pattern):
            return ".*", at + 2
        return "(?:.*/)?", at + 3 if pattern[at + 2] == "/" else at + 2
    if char == "\\":
        escaped = pattern[at + 1 : at + 2]
        return (re.escape(escaped), at + 2) if escaped else (r"\\", at + 1)
    if char == "[" and (end := pattern.find("]", at + 2)) > 0:
        return character_class(pattern[at : end + 1]), end + 1
    return {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)), at + 1
