"""IKB107: a manifest that says something twice, or says it in the wrong place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks.fixes import jsonedit
from bridge.checks.model import Edit, Finding, Rule, Severity
from bridge.workspace.manifests import SECTIONS, Manifest
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB107"


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        yield from _names(repo)
        for manifest in repo.members.values():
            yield from _twice(repo, manifest)
            yield from _types(manifest)
            yield from _shape(manifest)


def _names(repo: Monorepo) -> Iterator[Finding]:
    """Two packages of one name: one of them can never be meant."""
    first: dict[str, Manifest] = {}
    for manifest in repo.readable.values():
        if not manifest.name and manifest is not repo.root:
            yield _finding(
                manifest, (), Severity.WARNING, f"{manifest.path} has no name: no filter and no package can name it."
            )
        other = first.setdefault(manifest.name, manifest) if manifest.name else manifest
        if other is not manifest:
            message = f"{manifest.path} and {other.path} have the same name, {manifest.name}{_clash(repo, other)[1]}."
            yield _finding(manifest, ("name",), _clash(repo, other)[0], message)


def _clash(repo: Monorepo, other: Manifest) -> tuple[Severity, str]:
    """What follows from two packages of one name. Only yarn 2 and later counts the root among them."""
    manager = repo.manager
    berry = manager.name == "yarn" and (manager.major or 1) > 1
    stops = berry or (other is not repo.root and manager.name != "pnpm")
    if stops:
        return Severity.ERROR, f": {manager.name} stops at it"
    if other is not repo.root and "turbo" in repo.root.declared:
        return Severity.ERROR, ": turbo stops at it"
    return Severity.WARNING, ": a filter cannot tell them apart"


def _twice(repo: Monorepo, manifest: Manifest) -> Iterator[Finding]:
    dev = manifest.sections["devDependencies"]
    for section in ("dependencies", "optionalDependencies"):
        for name in sorted(manifest.sections[section].keys() & dev.keys()):
            message = f"{name} is in {section} and in devDependencies of {manifest.path}: {section} wins."
            severity = Severity.WARNING if manifest.sections[section][name] != dev[name] else Severity.INFO
            edit = Edit(manifest.path, lambda old, name=name: jsonedit.remove(old, "devDependencies", name))  # type: ignore[misc]
            yield _finding(manifest, ("devDependencies", name), severity, message, name, (edit,), repo.folder)


def _types(manifest: Manifest) -> Iterator[Finding]:
    if manifest.data.get("private") is True:
        for name in manifest.sections["dependencies"]:
            if name.startswith("@types/"):
                message = f"{name} is a dependency of {manifest.path}: types are needed by nothing that runs."
                yield _finding(manifest, ("dependencies", name), Severity.INFO, message, name)


def _shape(manifest: Manifest) -> Iterator[Finding]:
    for section in SECTIONS:
        value = manifest.data.get(section)
        if value is not None and not isinstance(value, dict):
            yield _finding(manifest, (section,), Severity.ERROR, f"{section} of {manifest.path} is no object.")
        elif value == {}:
            yield _finding(manifest, (section,), Severity.INFO, f"{section} of {manifest.path} is empty.")


def _finding(
    manifest: Manifest, keys: tuple[str, ...], severity: Severity, message: str, package: str = "",
    edits: tuple[Edit, ...] = (), relock: str = "",
) -> Finding:  # fmt: skip
    line, column = manifest.position(*keys)
    fix = f"Remove it from {keys[0]}." if edits else ""
    return Finding(ID, severity, manifest.path, line, column, message, package, manifest.label,
                   frozenset({manifest.label}), fix, edits, relock)  # fmt: skip


RULE = Rule(
    ID,
    "manifest-hygiene",
    Severity.ERROR,
    "D9",
    "Small faults in manifests that cost time when they matter: a dependency in two sections, of which only one "
    "counts; two packages of one name; a package without a name, which no filter can select; types among what runs "
    "in production; sections that are empty or of the wrong shape.",
    check,
    "removes the second declaration of a dependency",
)
