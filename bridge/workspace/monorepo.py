"""One workspace of a package manager: its root, its members, its lock file, its settings. Read-only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from bridge.workspace import globs, lock, manifests, settings
from bridge.workspace.lock import Lock
from bridge.workspace.manifests import INSTALLED, SECTIONS, Manifest
from bridge.workspace.settings import Manager, Settings
from bridge.workspace.tree import Tree

DATA: Final = re.compile(r"(?:^|/)(?:fixtures?|__fixtures__|__testfixtures__|test-?data|test-fixtures|__mocks__)(?=/)")
"""Folders of what tests read: whole repositories may lie there, broken on purpose."""

_ORDER: Final = {"pnpm": ("pnpm",), "npm": ("npm",), "yarn": ("berry", "yarn1"), "bun": ("bun",)}


@dataclass
class Monorepo:
    """A root and what belongs to it.

    Attributes:
        members: folder (relative to the repository) → manifest; the root itself is among them.
        locks: all lock files in the root folder; ``lock`` is the one that the package manager reads.
    """

    tree: Tree
    root: Manifest
    members: dict[str, Manifest]
    locks: list[Lock]
    settings: Settings
    manager: Manager
    _closures: dict[frozenset[str], frozenset[str]] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> str:
        return self.root.folder

    @property
    def is_workspace(self) -> bool:
        """Whether it has other packages than its root."""
        return self.settings.patterns is not None

    @cached_property
    def lock(self) -> Lock | None:
        """The lock file that the package manager reads; None when there is none."""
        wanted = _ORDER[self.manager.name]
        return next((item for kind in wanted for item in self.locks if item.kind == kind), None)

    @cached_property
    def by_name(self) -> dict[str, Manifest]:
        """Name (its folder for one without a name) → member; the root only when nothing else has its name."""
        named = sorted(self.members.values(), key=lambda item: item.folder != self.folder)
        return {manifest.label: manifest for manifest in named}

    @cached_property
    def readable(self) -> dict[str, Manifest]:
        """The members whose manifests can be read."""
        return {folder: manifest for folder, manifest in self.members.items() if manifest.problem is None}

    @cached_property
    def has_nameless(self) -> bool:
        """Whether some member cannot be read, not even its name: nobody knows then what packages there are."""
        return any(manifest.problem is not None and not manifest.name for manifest in self.members.values())

    def relative(self, folder: str) -> str:
        """Return ``folder`` of the repository as the lock file has it: relative to the root."""
        if self.folder == ".":
            return folder
        return "." if folder == self.folder else folder.removeprefix(self.folder + "/")

    def links(self, manifest: Manifest, sections: tuple[str, ...] = INSTALLED) -> set[str]:
        """Return the names of the members that ``manifest`` declares, and that an install links from here."""
        names = {name for section in sections for name in manifest.sections[section] if name in self.by_name}
        return {name for name in names if not self._is_fetched(manifest, name)}

    def _is_fetched(self, manifest: Manifest, name: str) -> bool:
        """Whether pnpm's lock file takes a package of a member's name from the registry, as a range asks it to."""
        specifier = manifest.specifier(name)
        if self.lock is None or self.lock.kind != "pnpm" or specifier.startswith(("workspace:", "link:", "file:")):
            return False
        for pins in self.lock.importers.get(self.relative(manifest.folder), {}).values():
            if (pin := pins.get(name)) is not None and pin.specifier == specifier:
                return pin.version[:1].isdigit()
        return False

    def closure(self, names: set[str] | frozenset[str], sections: tuple[str, ...] = INSTALLED) -> frozenset[str]:
        """Return ``names`` and all members they stand on, to any depth; unknown names are left out."""
        seen: set[str] = set()
        pending = [name for name in names if name in self.by_name]
        while pending:
            if (name := pending.pop()) not in seen:
                seen.add(name)
                pending += self.links(self.by_name[name], sections)
        return frozenset(seen)

    def names_in(self, folders: set[str]) -> set[str]:
        return {manifest.label for folder, manifest in self.members.items() if folder in folders}

    @cached_property
    def hoisted(self) -> re.Pattern[str] | None:
        """The names that pnpm puts at the top for everyone (``public-hoist-pattern``); None for none."""
        if self.manager.name != "pnpm":
            return None
        old = self.manager.major is not None and self.manager.major < 10
        patterns = self.settings.words("publicHoistPattern")
        words = patterns if patterns is not None else (["*eslint*", "*prettier*"] if old else [])
        taken = [_star(word) for word in words if word and not word.startswith("!")]
        return re.compile("|".join(taken)) if taken else None

    @cached_property
    def known(self) -> frozenset[str]:
        """Every package that an install of the whole brings: of the lock file and of the workspace."""
        versions = self.lock.versions if self.lock else {}
        declared = (name for m in self.members.values() for section in SECTIONS for name in m.sections[section])
        return frozenset(versions).union(self.by_name, declared)


def _star(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))


def find(tree: Tree, known: dict[str, Manifest]) -> list[Monorepo]:
    """Return the workspaces of a repository, the outermost first.

    A root is a manifest that names members, or one with a lock file beside it that is no member of another root.
    """
    locks = _locks(tree)
    roots: list[Monorepo] = []
    taken: set[str] = set()
    for folder in sorted(known, key=lambda item: (item != ".", item.count("/"), item)):
        if DATA.search(f"{folder}/"):
            continue
        manifest = known[folder]
        chosen = settings.read(tree, manifest)
        lists = chosen.patterns is not None
        if folder in taken and not lists and folder not in locks:
            continue
        if not lists and folder not in locks and not (folder == "." and len(known) == 1):
            continue
        if folder in taken and not lists:
            continue  # a member's own left-over lock file makes no root of it
        repo = _open(
            tree, manifest, known, chosen, [lock.read(path, tree.text(path)) for path in locks.get(folder, [])]
        )
        taken |= repo.members.keys()
        roots.append(repo)
    return roots


def _locks(tree: Tree) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in tree.files:
        folder, _, name = path.rpartition("/")
        if name in lock.FILES:
            found.setdefault(folder or ".", []).append(path)
    return found


def _open(tree: Tree, root: Manifest, known: dict[str, Manifest], chosen: Settings, locks: list[Lock]) -> Monorepo:
    prefix = "" if root.folder == "." else root.folder + "/"
    inside = {folder.removeprefix(prefix): folder for folder in known if folder != "." and folder.startswith(prefix)}
    names = globs.select(chosen.patterns or [], inside)
    members = {root.folder: root, **{inside[name]: known[inside[name]] for name in sorted(names)}}
    lock_settings = next((item.settings for item in locks if item.kind == "bun"), {})
    manager = settings.manager(tree, root, {item.kind for item in locks}, chosen, lock_settings)
    return Monorepo(tree, root, members, locks, chosen, manager)


class Owners:
    """Which manifest speaks for a file: the nearest ``package.json`` above it."""

    def __init__(self, known: dict[str, Manifest]) -> None:
        self._known = known
        self._cache: dict[str, Manifest | None] = {"": known.get(".")}
        self._folders = {manifest.name: folder for folder, manifest in known.items() if manifest.name}

    def by_name(self, name: str) -> str | None:
        """Return the folder of the package called ``name``; None when the repository has none."""
        return self._folders.get(name)

    def of(self, path: str) -> Manifest | None:
        """Return the manifest whose package holds ``path``."""
        return self.above(path.rpartition("/")[0])

    def above(self, folder: str) -> Manifest | None:
        """Return the nearest manifest at or above ``folder`` (empty for the top)."""
        passed: list[str] = []
        while folder not in self._cache and folder not in self._known:
            passed.append(folder)
            folder = folder.rpartition("/")[0]
        found = self._known.get(folder) or self._cache[folder]
        self._cache.update(dict.fromkeys(passed, found))
        return found


def read(tree: Tree) -> tuple[dict[str, Manifest], list[Monorepo]]:
    """Return all manifests of a repository and its workspaces."""
    known = manifests.read(tree)
    return known, find(tree, known)
