"""Patterns of workspace folders, as package managers read them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable


def regex(pattern: str) -> re.Pattern[str]:
    """Return the expression for one glob: ``*`` and ``?`` stay inside a folder, ``**`` does not, ``{a,b}`` chooses."""
    out, at, depth = "", 0, 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
            continue
        if pattern.startswith("**", at):
            out, at = out + ".*", at + 2
            continue
        if char == "{":
            piece, depth = "(?:", depth + 1
        elif char == "}" and depth:
            piece, depth = ")", depth - 1
        else:
            piece = {"*": "[^/]*", "?": "[^/]"}.get(char, "|" if char == "," and depth else re.escape(char))
        out, at = out + piece, at + 1
    return re.compile(out + ")" * depth)


def select(patterns: Iterable[str], names: Iterable[str]) -> set[str]:
    """Return those of ``names`` that the patterns take, in order; ``!pattern`` gives back."""
    candidates, found = list(names), set[str]()
    for raw in patterns:
        pattern = raw.removeprefix("!").removeprefix("./").strip("/")
        if not pattern or pattern == ".":
            continue
        matches = regex(pattern).fullmatch
        taken = {name for name in candidates if matches(name)}
        found = found - taken if raw.startswith("!") else found | taken
    return found
