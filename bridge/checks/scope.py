"""What a run is limited to: an app, or what changed since a commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.model.errors import Misuse

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
        findings = [finding for finding in findings if _touched(finding, facts, wanted.changed)]
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


def _touched(finding: Finding, facts: Facts, changed: frozenset[str]) -> bool:
    """Whether a change touches the finding's file, or the manifest that it speaks about."""
    owner = facts.owners.of(finding.file)
    return (
        finding.file in changed
        or (owner is not None and owner.path in changed)
        or bool(finding.relock and any(path.rpartition("/")[2] in _LOCKS for path in changed))
    )


_LOCKS = frozenset({"pnpm-lock.yaml", "package-lock.json", "yarn.lock", "bun.lock", "pnpm-workspace.yaml"})
