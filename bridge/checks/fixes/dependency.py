"""Adding a dependency: in which section, with which version, in the repository's own style."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from bridge.checks.fixes import jsonedit
from bridge.checks.model import Edit
from bridge.workspace.manifests import INSTALLED, Manifest
from bridge.workspace.monorepo import Monorepo


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do about a missing dependency, for people and as edits."""

    text: str
    edits: tuple[Edit, ...] = ()
    relock: str = ""


def propose(repo: Monorepo | None, manifest: Manifest, name: str, *, only_types: bool = False) -> Proposal:
    """Return how to declare ``name`` in ``manifest``."""
    section = "devDependencies" if only_types and manifest.folder != "." else "dependencies"
    specifier = specifier_for(repo, name) if repo else ""
    if not specifier:
        return Proposal(f"Run: {_command(repo, manifest, name, section)}")
    text = f'Add "{name}": "{specifier}" to {section} of {manifest.path}.'
    edit = Edit(manifest.path, lambda old: jsonedit.set_dependency(old, section, name, specifier))
    return Proposal(text, (edit,), repo.folder if repo else "")


def specifier_for(repo: Monorepo, name: str) -> str:
    """Return the specifier that this workspace would give ``name``; empty when it knows no version of it."""
    if name in repo.by_name and repo.is_workspace:
        return _workspace(repo)
    if name in repo.settings.catalogs.get("default", {}):
        return "catalog:"
    named = sorted(catalog for catalog, entries in repo.settings.catalogs.items() if name in entries)
    if named:
        return f"catalog:{named[0]}"
    if siblings := _siblings(repo, name):
        return siblings
    return _from_lock(repo, name)


def _workspace(repo: Monorepo) -> str:
    if repo.manager.name == "npm" or (repo.manager.name == "yarn" and (repo.manager.major or 1) < 2):
        return "*"
    return _usual((value for value in _specifiers(repo) if value.startswith("workspace:")), "workspace:*")


def _siblings(repo: Monorepo, name: str) -> str:
    used = Counter(
        manifest.sections[section][name]
        for manifest in repo.members.values()
        for section in INSTALLED
        if name in manifest.sections[section]
    )
    return used.most_common(1)[0][0] if used else ""


def _from_lock(repo: Monorepo, name: str) -> str:
    versions = repo.lock.versions.get(name, []) if repo.lock else []
    plain = [version for version in versions if re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", version)]
    if not plain:
        return ""
    newest = max(plain, key=lambda version: [int(part) for part in version.partition("-")[0].split(".")])
    return prefix(repo) + newest


def prefix(repo: Monorepo) -> str:
    """Return what this workspace writes before a version: ``^``, ``~`` or nothing."""
    if repo.settings.flag("saveExact", False):
        return ""
    saved = repo.settings.values.get("savePrefix")
    if isinstance(saved, str):
        return saved
    styles = Counter(match[1] for value in _specifiers(repo) if (match := re.match(r"([\^~]?)\d+\.\d+\.\d+", value)))
    return styles.most_common(1)[0][0] if styles else "^"


def _specifiers(repo: Monorepo) -> list[str]:
    return [value for m in repo.members.values() for section in INSTALLED for value in m.sections[section].values()]


def _usual(values: object, default: str) -> str:
    counted = Counter(values)  # type: ignore[call-overload]
    return str(counted.most_common(1)[0][0]) if counted else default


def _command(repo: Monorepo | None, manifest: Manifest, name: str, section: str) -> str:
    dev = " -D" if section == "devDependencies" else ""
    manager = repo.manager.name if repo else "npm"
    if repo is not None and manifest is repo.root:
        top = " -w" if manager == "pnpm" and repo.is_workspace else ""
        return f"npm install{dev} {name}" if manager == "npm" else f"{manager} add{dev}{top} {name}"
    if manager == "pnpm":
        return f"pnpm add{dev} {name} --filter {manifest.label}"
    if manager == "yarn":
        return f"yarn workspace {manifest.label} add{dev} {name}"
    if manager == "bun":
        return f"bun add{dev} {name} --cwd {manifest.folder}"
    return f"npm install{dev} {name} --workspace {manifest.folder}"
