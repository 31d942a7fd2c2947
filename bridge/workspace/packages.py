"""Facts about the packages of a workspace (pnpm, npm, yarn, bun): names, folders, who stands on whom. Read-only."""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_SKIPPED = frozenset({"node_modules", ".git"})


@dataclass(frozen=True, slots=True)
class Package:
    """One package: its folder relative to the workspace root (``.`` for the root itself)."""

    name: str
    folder: str
    dependencies: frozenset[str]
    """Names of the workspace packages that it depends on directly."""


@dataclass(frozen=True)
class Workspace:
    """The packages below one root, by name."""

    root: Path
    packages: dict[str, Package]

    @property
    def folders(self) -> dict[str, str]:
        """Folder → name, without the root."""
        return {package.folder: name for name, package in self.packages.items() if package.folder != "."}

    def closure(self, names: set[str]) -> set[str]:
        """Return ``names`` and all they stand on, to any depth. Raises ``KeyError`` for an unknown name."""
        seen: set[str] = set()
        pending = list(names)
        while pending:
            if (name := pending.pop()) not in seen:
                seen.add(name)
                pending += self.packages[name].dependencies
        return seen

    def owner(self, path: str) -> str | None:
        """Return the name of the package whose folder holds ``path``; None for a file of the root."""
        folders = self.folders
        parts = path.split("/")
        for length in range(len(parts) - 1, 0, -1):
            if (name := folders.get("/".join(parts[:length]))) is not None:
                return name
        return None

    def select(self, selector: str) -> set[str] | None:
        """Return the packages that a ``--filter`` needs, with what they stand on; None when that is not known here.

        Known are a name, ``name...``, a pattern of names, and a folder. Everything else (dependents, exclusions,
        changes since a commit) is not.
        """
        match = re.fullmatch(r"(\{?[@\w./*-]+\}?)(\.\.\.)?", selector)
        if match is None or ".../" in selector:
            return None
        word = match[1].removesuffix("...").strip("{}")
        found = {name for name, package in self.packages.items() if _fits(word, package)}
        return self.closure(found) if found else None


def _fits(word: str, package: Package) -> bool:
    if word.startswith("./") or word in (".", package.folder):
        return fnmatch.fnmatchcase(package.folder, word.removeprefix("./") or ".")
    return fnmatch.fnmatchcase(package.name, word) or package.name.rpartition("/")[2] == word


def read(root: Path) -> Workspace:
    """Return the workspace below ``root``; empty when there is no ``package.json``."""
    manifests = {".": _json(root / "package.json")}
    for folder in sorted(_folders(root, _patterns(root, manifests["."]))):
        manifests[folder] = _json(root / folder / "package.json")
    names = {str(manifest.get("name") or folder) for folder, manifest in manifests.items() if manifest}
    found = {}
    for folder, manifest in manifests.items():
        if manifest:
            name = str(manifest.get("name") or folder)
            found[name] = Package(name, folder, frozenset(_needs(manifest) & names - {name}))
    return Workspace(root, found)


def _needs(manifest: dict[str, Any]) -> set[str]:
    return {name for section in SECTIONS if isinstance(manifest.get(section), dict) for name in manifest[section]}


def _json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _patterns(root: Path, manifest: dict[str, Any]) -> list[str]:
    file = root / "pnpm-workspace.yaml"
    if file.is_file():
        from ruamel.yaml import YAML

        document = YAML(typ="safe").load(file)
        listed = document.get("packages") if isinstance(document, dict) else None
    else:
        listed = manifest.get("workspaces")
        listed = listed.get("packages") if isinstance(listed, dict) else listed
    return [str(item) for item in listed] if isinstance(listed, list) else []


def _folders(root: Path, patterns: list[str]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        manifests = [file for file in root.glob(_manifests(pattern)) if _counts(file, root)]
        taken = {file.parent.relative_to(root).as_posix() for file in manifests}
        found = found - taken if pattern.startswith("!") else found | taken
    return found - {"."}


def _manifests(pattern: str) -> str:
    return pattern.removeprefix("!").removeprefix("./").rstrip("/") + "/package.json"


def _counts(file: Path, root: Path) -> bool:
    return not _SKIPPED & set(file.relative_to(root).parts)
