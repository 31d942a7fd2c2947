"""One shape for every lock file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

Sections = dict[str, dict[str, "Pin"]]


class Pin(NamedTuple):
    """What a lock file says about one dependency of a workspace package; the version may be unknown."""

    specifier: str
    version: str = ""


class Patch(NamedTuple):
    """What a lock file says about a patched dependency; either may be missing."""

    path: str = ""
    digest: str = ""


@dataclass
class Lock:
    """A lock file.

    Attributes:
        kind: pnpm, npm, yarn1, berry or bun.
        version: the version of its format.
        importers: folder of a workspace package → section → name → pin. Empty for yarn1, which records none.
        catalogs: name of a catalog → dependency → pin.
        overrides: selector → replacement, as it stood when the file was written; None when the format has none.
        requests: ``name@range`` for which yarn1 and berry hold an entry.
        patched: key of a patched dependency → its patch; None when the format has none.
        ignored: optional dependencies that pnpm leaves out; None when it does not say.
        problem: why it cannot be used, and on which line; empty when it can.
    """

    path: str
    kind: str
    version: str = ""
    importers: dict[str, Sections] = field(default_factory=dict)
    catalogs: dict[str, dict[str, Pin]] = field(default_factory=dict)
    overrides: dict[str, str] | None = None
    requests: frozenset[str] = frozenset()
    patched: dict[str, Patch] | None = None
    ignored: frozenset[str] | None = None
    settings: dict[str, object] = field(default_factory=dict)
    problem: tuple[str, int] | None = None
    find_versions: Callable[[], dict[str, list[str]]] = dict
    find_graph: Callable[[], Graph | None] = lambda: None
    _versions: dict[str, list[str]] | None = None
    _graph: Graph | None = None

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0] or "."

    @property
    def versions(self) -> dict[str, list[str]]:
        """Name → versions in the lock file, of every package that it installs."""
        if self._versions is None:
            self._versions = self.find_versions()
        return self._versions

    @property
    def graph(self) -> Graph | None:
        """Where packages lie and what they need; None for formats that do not say."""
        if self._graph is None:
            self._graph = self.find_graph()
        return self._graph


@dataclass(frozen=True)
class Graph:
    """The physical layout of a hoisting lock file: keys such as ``node_modules/x`` or ``apps/web/node_modules/x``.

    Attributes:
        keys: where packages lie.
        needs: key → names of what the package there needs.
    """

    keys: frozenset[str]
    needs: dict[str, tuple[str, ...]]

    def locate(self, name: str, folder: str) -> str | None:
        """Return the key that Node finds for ``name`` from ``folder`` (a folder or a key); None when there is none."""
        while True:
            key = f"{folder}/node_modules/{name}" if folder not in ("", ".") else f"node_modules/{name}"
            if key in self.keys:
                return key
            if folder in ("", "."):
                return None
            folder = folder.rpartition("/node_modules/")[0] if "/node_modules/" in folder else _up(folder)

    def reach(self, starts: list[tuple[str, str]]) -> set[str]:
        """Return all keys that an install keeps for these (folder, name) pairs."""
        seen: set[str] = set()
        pending = [key for folder, name in starts if (key := self.locate(name, folder))]
        while pending:
            if (key := pending.pop()) not in seen:
                seen.add(key)
                pending += [found for name in self.needs.get(key, ()) if (found := self.locate(name, key))]
        return seen


def _up(folder: str) -> str:
    if folder.startswith("node_modules/"):
        return "."
    return folder.rpartition("/")[0] or "."
