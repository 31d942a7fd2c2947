"""Lock files of pnpm, npm, yarn and bun, brought to one shape. Pure."""

from __future__ import annotations

from typing import Final

from bridge.workspace.lock import bun, npm, pnpm, yarn
from bridge.workspace.lock.model import Graph, Lock, Patch, Pin, Sections

__all__ = ["FILES", "Graph", "Lock", "Patch", "Pin", "Sections", "read"]

_READERS: Final = {
    "pnpm-lock.yaml": pnpm.read,
    "package-lock.json": npm.read,
    "npm-shrinkwrap.json": npm.read,
    "yarn.lock": yarn.read,
    "bun.lock": bun.read,
}
FILES: Final = frozenset(_READERS)


def read(path: str, text: str) -> Lock:
    """Return the lock file ``path`` with this text, whichever package manager wrote it."""
    return _READERS[path.rpartition("/")[2]](path, text)
