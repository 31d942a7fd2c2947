"""Compose files read for checking: services, what they build, and where each thing stands. Nothing is interpolated."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Any, Final

from bridge.workspace import plainyaml
from bridge.workspace.tree import Tree

NAME: Final = re.compile(r"(?:^|/)(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml$")


@dataclass
class Service:
    """One service of a compose file; ``data`` is its definition with anchors and merges resolved."""

    file: str
    name: str
    data: dict[str, Any]

    @property
    def build(self) -> dict[str, Any] | None:
        """What it builds, in the long form; None when it does not build."""
        value = self.data.get("build")
        if isinstance(value, str):
            return {"context": value}
        return value if isinstance(value, dict) else None


@dataclass
class Compose:
    """One compose file; ``problem`` says why it does not load: reason, line, column."""

    path: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    problem: tuple[str, int, int] | None = None

    @property
    def services(self) -> list[Service]:
        found = self.data.get("services")
        if not isinstance(found, dict):
            return []
        return [Service(self.path, str(name), value) for name, value in found.items() if isinstance(value, dict)]

    def position(self, *keys: str) -> tuple[int, int]:
        """Return line and column of a key below other keys, or of the nearest one above it."""
        return locate(self.text, keys)


def read(tree: Tree, path: str) -> Compose:
    """Return the compose file ``path``."""
    text = tree.text(path)
    try:
        value = plainyaml.load(text)
    except plainyaml.Broken as problem:
        return Compose(path, text, {}, (problem.reason, problem.line, problem.column))
    if not isinstance(value, dict):
        return Compose(path, text, {}, ("it holds no mapping", 1, 1))
    return Compose(path, text, value)


def locate(text: str, keys: tuple[str, ...]) -> tuple[int, int]:
    """Return line and column of nested ``keys`` in a YAML text in block style; of the last one that is found."""
    lines = text.splitlines()
    found, start, indent = (1, 1), 0, -1
    for key in keys:
        place = _below(lines, start, indent, key)
        if place is None:
            break
        start, indent = place[0] + 1, place[1]
        found = (place[0] + 1, place[1] + 1)
    return found


def _below(lines: list[str], start: int, indent: int, key: str) -> tuple[int, int] | None:
    wanted = re.compile(rf"(\s*)(?:- )?[\"']?{re.escape(key)}[\"']?\s*(?::|=|$)")
    depth: int | None = None
    for number in range(start, len(lines)):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        own = len(line) - len(line.lstrip())
        if own <= indent and not (own == indent and line.lstrip().startswith("- ")):
            return None
        depth = own if depth is None else depth
        if own == depth and (match := wanted.match(line)):
            return number, len(match[1])
    return None


def folder_of(path: str, context: str) -> str | None:
    """Return a build's context as a folder of the repository; None for one outside of it or not known here."""
    if "$" in context or re.match(r"(https?|git|ssh|docker-image|target|service)[:@]", context):
        return None
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), context))
    return None if place.startswith("..") else place
