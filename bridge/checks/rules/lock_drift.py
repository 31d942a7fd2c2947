"""IKB401: the lock file does not say what the manifests say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks import drift, resolve
from bridge.checks.drift import Drift
from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.manifests import Manifest
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB401"


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        if repo.lock is not None:
            for item in drift.drifts(repo):
                yield _finding(facts, repo, item)


def _finding(facts: Facts, repo: Monorepo, item: Drift) -> Finding:
    path, keys = item.path or repo.lock.path, item.keys  # type: ignore[union-attr]
    manifest = facts.manifests.get(path.rpartition("/")[0] or ".")
    apps = _stopped(facts, repo, manifest) if manifest is not None else frozenset[str]()
    if manifest is not None and path == manifest.path:
        line, column = manifest.position(*keys)
    else:
        line, column = facts.line_of(path, keys[-1] if keys else "", item.line or 1)
    severity = Severity.ERROR if item.stops and not _is_stray(facts, repo) else Severity.WARNING
    fix = f"Run {command(repo)} and commit {repo.lock.path}."  # type: ignore[union-attr]
    return Finding(ID, severity, path, line, column, item.message, item.name, apps=apps, fix=fix,
                   relock=repo.folder)  # fmt: skip


def _stopped(facts: Facts, repo: Monorepo, manifest: Manifest) -> frozenset[str]:
    """The images whose install stops at a difference in ``manifest``; what stands at the root stops all of them."""
    images = [image for image in facts.images if image.repo is repo]
    if manifest is repo.root:
        names = {image.name for image in images} | repo.by_name.keys()
        return frozenset() if repo.folder == "." else frozenset(names)
    return frozenset({image.name for image in images for run in image.installs if resolve.sees(image, run, manifest)})


def _is_stray(facts: Facts, repo: Monorepo) -> bool:
    """Whether nothing installs by this lock file: one package's own, in a repository that another tool installs."""
    managed = "rush.json" in facts.tree or any(repo.folder.startswith(f"{other.folder}/") or other.folder == "."
                                               for other in facts.repos if other is not repo)  # fmt: skip
    return managed and not repo.is_workspace and not any(image.repo is repo for image in facts.images)


def command(repo: Monorepo) -> str:
    """Return the command that renews the lock file of ``repo`` without installing."""
    name, major = repo.manager.name, repo.manager.major or 1
    if name == "yarn":
        return "yarn install --mode=update-lockfile" if major > 1 else "yarn install --ignore-scripts"
    if name == "npm":
        return "npm install --package-lock-only --ignore-scripts"
    return f"{name} install --lockfile-only --ignore-scripts"


RULE = Rule(
    ID,
    "stale-lock-file",
    Severity.ERROR,
    "D6",
    "An install in CI and in an image is frozen: it refuses a lock file that does not match the manifests, and stops "
    "at the first difference. This rule compares every manifest with the lock file without the package manager and "
    "without a network, with catalogs, overrides and patches, and reports all differences at once.",
    check,
    "renews the lock file with the pinned package manager, where it is at hand (--lockfile-only, no scripts)",
)
