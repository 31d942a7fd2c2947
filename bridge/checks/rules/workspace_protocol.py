"""IKB104: a package of the workspace is declared so that the registry, and not the workspace, may answer."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks import semver
from bridge.checks.fixes import jsonedit
from bridge.checks.model import Edit, Finding, Rule, Severity
from bridge.workspace import globs
from bridge.workspace.manifests import INSTALLED, Manifest
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB104"

_LOCAL = ("workspace:", "catalog:", "link:", "file:", "portal:", "npm:", "git", "http")


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        if repo.is_workspace:
            for manifest in repo.members.values():
                for section in INSTALLED:
                    for name, specifier in manifest.sections[section].items():
                        yield from _entry(repo, manifest, section, name, specifier)


def _entry(repo: Monorepo, manifest: Manifest, section: str, name: str, specifier: str) -> Iterator[Finding]:
    if specifier.startswith("workspace:"):
        yield from _stated(repo, manifest, section, name, specifier)
    elif name in repo.by_name and name not in (manifest.name, repo.root.name) and not specifier.startswith(_LOCAL):
        yield from _registry(repo, manifest, section, name, specifier)


def _stated(repo: Monorepo, manifest: Manifest, section: str, name: str, specifier: str) -> Iterator[Finding]:
    alias = specifier.removeprefix("workspace:").rpartition("@")[0]
    if not _speaks_workspace(repo):
        message = f'{name} is "{specifier}" here, and {repo.manager.name} does not know workspace: and stops.'
        fix = f'Write "*" for {name}.'
        edit = Edit(manifest.path, lambda old: jsonedit.replace(old, (section, name), "*"))
        yield _finding(manifest, section, name, Severity.ERROR, message, fix, (edit,))
    elif not ({name, alias} & repo.by_name.keys() or repo.has_nameless or specifier.startswith("workspace:.")):
        near = difflib.get_close_matches(name, list(repo.by_name), 1, 0.6)
        fix = f"Write {near[0]} instead." if near else "Remove it, or add the package to the workspace."
        message = f"{name} is {specifier} here, and no package of the workspace has that name: the install stops."
        absent = any(globs.select(repo.settings.patterns or [], [path, f"{path}/x", f"{path}/x/x"])
                     for path in map(repo.relative, repo.tree.submodules))  # fmt: skip
        severity = Severity.ERROR if section != "optionalDependencies" and not absent else Severity.WARNING
        yield _finding(manifest, section, name, severity, message, fix)


def _speaks_workspace(repo: Monorepo) -> bool:
    return repo.manager.name in ("pnpm", "bun") or (repo.manager.name == "yarn" and (repo.manager.major or 1) > 1)


def _registry(repo: Monorepo, manifest: Manifest, section: str, name: str, specifier: str) -> Iterator[Finding]:
    member = repo.by_name[name]
    if member.problem is not None:
        return
    links = _links(repo, member, specifier)
    if links and not _speaks_workspace(repo):
        return  # npm and yarn 1 have no other way to say it
    private = member.data.get("private") is True
    resolved = repo.lock is not None and name in repo.lock.versions
    severity = Severity.INFO if links else Severity.ERROR if private and not resolved else Severity.WARNING
    version = member.data.get("version", "")
    what = "links the workspace's own only as long as its version fits" if links else "asks the registry for it"
    home = f"{member.folder}, {version or 'no version'}"
    message = f'{name} is "{specifier}" here and a package of this workspace ({home}): {repo.manager.name} {what}.'
    wanted = "workspace:*" if _speaks_workspace(repo) else "*"
    edit = Edit(manifest.path, lambda old: jsonedit.replace(old, (section, name), wanted))
    sure = (edit,) if private or links else ()
    yield _finding(manifest, section, name, severity, message, f'Write "{wanted}" for {name}.', sure, repo.folder)


def _links(repo: Monorepo, member: Manifest, specifier: str) -> bool:
    """Whether the package manager takes the workspace's own for this specifier."""
    if repo.manager.name == "pnpm":
        old = repo.manager.major is not None and repo.manager.major < 9
        setting = str(repo.settings.values.get("linkWorkspacePackages", old)).lower()
        if setting not in ("true", "deep"):
            return False
    if repo.manager.name == "yarn" and (repo.manager.major or 1) > 1:
        return semver.satisfies(str(member.data.get("version", "0.0.0")), specifier) is True
    fits = semver.satisfies(str(member.data.get("version", "0.0.0")), specifier)
    return fits is not False or specifier in ("*", "latest", "")


def _finding(
    manifest: Manifest, section: str, name: str, severity: Severity, message: str, fix: str,
    edits: tuple[Edit, ...] = (), relock: str = "",
) -> Finding:  # fmt: skip
    line, column = manifest.position(section, name)
    return Finding(ID, severity, manifest.path, line, column, message, name, manifest.label,
                   frozenset({manifest.label}), fix, edits, relock if edits else "")  # fmt: skip


RULE = Rule(
    ID,
    "workspace-protocol",
    Severity.ERROR,
    "D3",
    "A package of the workspace has to be declared as such: workspace:* with pnpm, bun and yarn 2, a version that "
    "fits with npm and yarn 1. Otherwise the package manager asks the registry, which either does not have it, and "
    "the install stops, or has another one of the same name, and the image ships code of somebody else.",
    check,
    "writes workspace:* (or * for npm and yarn 1)",
)
