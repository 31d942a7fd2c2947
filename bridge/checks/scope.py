"""What a run is limited to: an app, or what changed since a commit."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.model.errors import Misuse
from bridge.checks.model import Severity

if TYPE_CHECKING:
    from agent.model.dsn import Dsn
    from bridge.checks.facts import Facts
    from bridge.checks.model import Finding


@dataclass(frozen=True)
class Scope:
    """What to report: only an app (image, package or folder), only what touches ``changed`` files.

    ``database`` is a server where migrations may be tried.
    """

    app: str = ""
    changed: frozenset[str] | None = None
    database: Dsn | None = None


def scope(repo: Path, app: str, revision: str) -> Scope:
    """Return the scope that the options describe. Raises ``Misuse("check.no_revision")``."""
    return Scope(app, changed_since(repo, revision) if revision else None)


def changed_since(repo: Path, revision: str) -> frozenset[str]:
    """Return the files below ``repo`` that differ from ``revision``, uncommitted and new ones included."""
    from bridge.workspace import git

    changed = git.changed(repo, revision)
    if changed is None:
        raise Misuse("check.no_revision", revision=revision, repo=repo)
    return frozenset(changed)


def select(findings: list[Finding], facts: Facts, wanted: Scope) -> list[Finding]:
    """Return the findings inside the scope. Raises ``Misuse("check.no_app")`` for an app that does not exist."""
    if wanted.app:
        names = _names(facts, wanted.app)
        findings = [finding for finding in findings if not finding.apps or finding.apps & names]
    if wanted.changed is not None:
        change = _Change(facts, wanted.changed)
        findings = [finding for finding in findings if change.touches(finding)]
    return findings


def _names(facts: Facts, app: str) -> frozenset[str]:
    """The image or package called ``app``, and everything that it stands on."""
    found: set[str] = set()
    for image in facts.images:
        if app in (image.name, image.build.path) or app in image.apps or app in _short(image.apps):
            found |= {image.name, *image.members}
    for repo in facts.repos:
        for name, member in repo.by_name.items():
            if (
                app in (name, member.folder)
                or app == name.rpartition("/")[2]
                or app == member.folder.rpartition("/")[2]
            ):
                found |= repo.closure({name})
    services = {service.name for item in facts.composes for service in item.services}
    if app in services:
        found.add(app)
    if not found:
        known = {image.name for image in facts.images} | {name for repo in facts.repos for name in repo.by_name}
        raise Misuse("check.no_app", app=app, known=", ".join(sorted(known)) or "-")
    return frozenset(found)


def _short(names: frozenset[str]) -> set[str]:
    return {name.rpartition("/")[2] for name in names}


class _Change:
    """The files that changed, and what else their change may have brought about."""

    def __init__(self, facts: Facts, changed: frozenset[str]) -> None:
        self.facts, self.changed = facts, changed
        self.above = {path[:at] for path in changed for at in range(len(path)) if path[at] == "/"}
        self.locks = any(path.rpartition("/")[2] in _LOCKS for path in changed)
        self.names = any(path.rpartition("/")[2] in _NAMING for path in changed)
        self.moves = self.names or any(_STEERING.search(path) or self._is_gone(path) for path in changed)

    def _is_gone(self, path: str) -> bool:
        return not os.path.lexists(self.facts.root / path)

    def touches(self, finding: Finding) -> bool:
        """Whether the change touches the finding's file or manifest, or what else the finding hangs on."""
        owner = self.facts.owners.of(finding.file)
        return (
            finding.file in self.changed
            or (owner is not None and owner.path in self.changed)
            or bool(finding.relock and self.locks)
            or any(path in self.changed or path in self.above for path in finding.about)
            or self._is_of_member(finding.package)
            or self._is_elsewhere(finding)
        )

    def _is_of_member(self, package: str) -> bool:
        """Whether the finding speaks about a package (by name or folder) whose manifest changed."""
        members = [repo.by_name[package] for repo in self.facts.repos if package in repo.by_name]
        return f"{package}/package.json" in self.changed or any(member.path in self.changed for member in members)

    def _is_elsewhere(self, finding: Finding) -> bool:
        """Whether a change in another file can be the cause: a name or a file that is gone, settings further up."""
        if finding.rule in _OF_NAMES and self.names:
            return not any(finding.package in repo.by_name for repo in self.facts.repos)
        if self.moves and finding.rule not in _BY_ITSELF and self._is_deployed(finding.file):
            return True
        if finding.severity is not Severity.ERROR or finding.rule not in _OF_IMPORTS:
            return False
        folders = [finding.file[:at] for at, char in enumerate(finding.file) if char == "/"]
        homes = {path.rpartition("/")[0] for path in self.changed if _SETTING.search(path)}
        return not homes.isdisjoint(["", *folders])

    def _is_deployed(self, path: str) -> bool:
        """Whether a file says what is built or started, by names of files and packages elsewhere."""
        from bridge.checks.facts import CONTRACT

        known = path in self.facts.dockerfiles or any(item.path == path for item in self.facts.composes)
        return known or path == CONTRACT or path.endswith(".dockerignore")


_LOCKS = frozenset({"pnpm-lock.yaml", "package-lock.json", "yarn.lock", "bun.lock", "pnpm-workspace.yaml"})
_NAMING = frozenset({"package.json", "pnpm-workspace.yaml"})
_STEERING = re.compile(
    r"(?:^|/)(?:\.npmrc|\.yarnrc\.yml|turbo\.jsonc?|[\w.-]*\.dockerignore|[\w.-]*compose[\w.-]*\.ya?ml)$"
)
_SETTING = re.compile(r"(?:^|/)(?:package|tsconfig[\w.-]*|jsconfig)\.json$")
_OF_NAMES = frozenset({"IKB104", "IKB105", "IKB301", "IKB302"})
_OF_IMPORTS = frozenset({"IKB101", "IKB102", "IKB103"})
_BY_ITSELF = frozenset({"IKB206", "IKB207", "IKB208", "IKB209", "IKB501", "IKB502", "IKB903"})
"""Rules that judge a Dockerfile or a compose file by nothing but itself."""
