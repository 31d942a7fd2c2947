"""What a workspace tells its package manager: ``.npmrc``, ``pnpm-workspace.yaml``, ``bunfig.toml``, ``.yarnrc.yml``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from bridge.workspace import plainyaml
from bridge.workspace.manifests import Manifest
from bridge.workspace.tree import Tree

_VERSION: Final = re.compile(r"(npm|pnpm|yarn|bun)@(\d+)(?:\.(\d+))?")
_CAMEL: Final = re.compile(r"-([a-z])")


@dataclass(frozen=True)
class Manager:
    """A package manager: its name, its major version (None when nothing pins it) and how it lays packages out.

    ``linker`` is isolated (own dependencies only), hoisted (what the lock file holds lies at the top) or pnp.
    """

    name: str
    major: int | None
    linker: str
    pinned: bool = False


@dataclass
class Settings:
    """Settings of one workspace root, under pnpm's names in camel case; ``problems`` are files that do not load.

    ``overrides`` are those of pnpm and yarn, ``flat`` the plain ones under ``overrides``, which npm and bun read.
    """

    values: dict[str, Any] = field(default_factory=dict)
    catalogs: dict[str, dict[str, str]] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    flat: dict[str, str] = field(default_factory=dict)
    patches: dict[str, str] = field(default_factory=dict)
    patterns: list[str] | None = None
    problems: list[tuple[str, str, int, int]] = field(default_factory=list)
    filed: frozenset[str] = frozenset()
    """The names of what ``pnpm-workspace.yaml`` itself states."""

    def flag(self, name: str, default: bool) -> bool:
        value = self.values.get(name)
        return default if value is None else str(value).lower() == "true"

    def words(self, name: str) -> list[str] | None:
        """Return a setting that is a list; None when it is not set."""
        value = self.values.get(name)
        return None if value is None else [str(item) for item in value] if isinstance(value, list) else [str(value)]


def read(tree: Tree, manifest: Manifest) -> Settings:
    """Return the settings of the root that ``manifest`` is."""
    settings = Settings()
    prefix = "" if manifest.folder == "." else manifest.folder + "/"
    _npmrc(tree, prefix, settings)
    _from_manifest(manifest, settings)
    _workspace_file(tree, prefix, settings)
    _yarnrc(tree, prefix, settings)
    return settings


def _npmrc(tree: Tree, prefix: str, settings: Settings) -> None:
    if f"{prefix}.npmrc" not in tree:
        return
    for line in tree.text(f"{prefix}.npmrc").splitlines():
        key, equals, value = line.partition("=")
        key, value = key.strip(), value.strip().strip("\"'")
        if not equals or key.startswith(("#", ";", "//", "@")):
            continue
        name = _CAMEL.sub(lambda match: match[1].upper(), key.removesuffix("[]"))
        if key.endswith("[]"):
            settings.values.setdefault(name, []).append(value)
        else:
            settings.values[name] = value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _from_manifest(manifest: Manifest, settings: Settings) -> None:
    pnpm = _dict(manifest.data.get("pnpm"))
    workspaces = manifest.data.get("workspaces")
    nested = _dict(workspaces)
    settings.overrides |= {k: str(v) for k, v in _dict(manifest.data.get("resolutions")).items()}
    settings.overrides |= {k: str(v) for k, v in _dict(pnpm.get("overrides")).items()}
    settings.flat |= {k: v for k, v in _dict(manifest.data.get("overrides")).items() if isinstance(v, str)}
    settings.patches |= {k: str(v) for k, v in _dict(pnpm.get("patchedDependencies")).items()}
    settings.patches |= {k: str(v) for k, v in _dict(manifest.data.get("patchedDependencies")).items()}
    for source in (manifest.data, nested):  # bun keeps catalogs in package.json
        _catalogs(source, settings)
    listed = nested.get("packages") if nested else workspaces
    if isinstance(listed, list):
        settings.patterns = [str(item) for item in listed]


def _catalogs(source: dict[str, Any], settings: Settings) -> None:
    for name, entries in {"default": source.get("catalog"), **_dict(source.get("catalogs"))}.items():
        if isinstance(entries, dict):
            settings.catalogs.setdefault(str(name), {}).update({str(k): str(v) for k, v in entries.items()})


def _workspace_file(tree: Tree, prefix: str, settings: Settings) -> None:
    path = f"{prefix}pnpm-workspace.yaml"
    if path not in tree:
        return
    try:
        value = _dict(plainyaml.load(tree.text(path)))
    except plainyaml.Broken as problem:
        settings.problems.append((path, problem.reason, problem.line, problem.column))
        return
    settings.filed = frozenset(str(key) for key in value)
    listed = value.pop("packages", None)
    settings.patterns = [str(item) for item in listed] if isinstance(listed, list) else settings.patterns
    _catalogs(value, settings)
    settings.overrides |= {str(k): str(v) for k, v in _dict(value.get("overrides")).items()}
    settings.patches |= {str(k): str(v) for k, v in _dict(value.get("patchedDependencies")).items()}
    settings.values |= {str(key): item for key, item in value.items()}


def _yarnrc(tree: Tree, prefix: str, settings: Settings) -> None:
    path = f"{prefix}.yarnrc.yml"
    if path not in tree or "catalog" not in (text := tree.text(path)):
        return
    try:
        _catalogs(_dict(plainyaml.load(text)), settings)
    except plainyaml.Broken as problem:
        settings.problems.append((path, problem.reason, problem.line, problem.column))


def manager(
    tree: Tree, manifest: Manifest, kinds: set[str], settings: Settings, lock_settings: dict[str, Any]
) -> Manager:
    """Return the package manager of a root, from what pins it and from its lock files' kinds."""
    pinned = _VERSION.match(str(manifest.data.get("packageManager", "")))
    engine = next((name for name in ("pnpm", "yarn", "bun") if name in _dict(manifest.data.get("engines"))), "")
    prefix = "" if manifest.folder == "." else manifest.folder + "/"
    by_lock = next((name for name in ("pnpm", "bun", "berry", "yarn1", "npm") if name in kinds), "")
    name = pinned[1] if pinned else {"berry": "yarn", "yarn1": "yarn"}.get(by_lock, by_lock)
    if not name:
        name = "pnpm" if f"{prefix}pnpm-workspace.yaml" in tree else engine or "npm"
    major = int(pinned[2]) if pinned else {"berry": 4, "yarn1": 1}.get(by_lock) or _major(manifest, name)
    return Manager(name, major, _linker(tree, prefix, name, major, settings, lock_settings), pinned is not None)


def _major(manifest: Manifest, name: str) -> int | None:
    match = re.search(r"\d+", str(_dict(manifest.data.get("engines")).get(name, "")))
    return int(match[0]) if match else None


def _linker(
    tree: Tree, prefix: str, name: str, major: int | None, settings: Settings, lock_settings: dict[str, Any]
) -> str:
    if name == "pnpm":
        shameful = settings.flag("shamefullyHoist", False)
        linker = str(settings.values.get("nodeLinker", "isolated"))
        return "hoisted" if shameful and linker != "pnp" else linker
    if name == "yarn" and (major or 1) > 1:
        return {"node-modules": "hoisted", "pnpm": "isolated"}.get(_yarn_linker(tree, prefix), "pnp")
    if name == "bun":
        text = tree.text(f"{prefix}bunfig.toml") if f"{prefix}bunfig.toml" in tree else ""
        match = re.search(r"^linker\s*=\s*[\"'](\w+)", text, re.MULTILINE)
        isolated = str(lock_settings.get("configVersion", 0)) == "1" and settings.patterns is not None
        return match[1] if match else "isolated" if isolated else "hoisted"
    return "hoisted"


def _yarn_linker(tree: Tree, prefix: str) -> str:
    """Return ``nodeLinker``; yarn reads the settings of the folders above as well, the nearest wins."""
    while True:
        if f"{prefix}.yarnrc.yml" in tree:
            match = re.search(r"^nodeLinker:\s*[\"']?([\w-]+)", tree.text(f"{prefix}.yarnrc.yml"), re.MULTILINE)
            if match is not None:
                return match[1]
        if not prefix:
            return ""
        prefix = prefix.rstrip("/").rpartition("/")[0]
        prefix = f"{prefix}/" if prefix else ""
