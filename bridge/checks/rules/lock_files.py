"""IKB402: no lock file, or several that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.manifests import INSTALLED
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB402"

_FROZEN = ("--frozen-lockfile", "ci", "clean-install", "--immutable")


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        if repo.lock is None and _has_dependencies(repo) and not _binary(facts, repo):
            yield from _absent(facts, repo)
        elif len({lock.kind for lock in repo.locks}) > 1:
            others = ", ".join(lock.path for lock in repo.locks if lock is not repo.lock)
            message = (
                f"{repo.manager.name} reads {repo.lock.path if repo.lock else 'none'}, and {others} lies beside it."
            )
            fix = "Remove the lock files of package managers that are not used."
            yield Finding(ID, Severity.WARNING, others.split(", ")[0], 1, 1, message, repo.manager.name, fix=fix)


def _has_dependencies(repo: Monorepo) -> bool:
    return any(member.sections[section] for member in repo.members.values() for section in INSTALLED)


def _binary(facts: Facts, repo: Monorepo) -> bool:
    return (f"{repo.folder}/bun.lockb" if repo.folder != "." else "bun.lockb") in facts.tree


def _absent(facts: Facts, repo: Monorepo) -> Iterator[Finding]:
    name = repo.folder if repo.folder != "." else "The workspace"
    message = f"{name} has no lock file: every install may bring other versions."
    fix = f"Run {repo.manager.name} install and commit what it writes."
    frozen = [
        (image, run)
        for image in facts.images
        if image.repo is repo
        for run in image.installs
        if run.command.has(*_FROZEN)
    ]
    for image, run in frozen[:1]:
        yield Finding(ID, Severity.ERROR, image.build.path, run.line, 1,
                      f"{run.command.program} is told to install what the lock file says, and there is none.",
                      image.name, image.name, frozenset({image.name}), fix)  # fmt: skip
    if not frozen:
        yield Finding(ID, Severity.WARNING, repo.root.path, 1, 1, message, repo.root.label, fix=fix)


RULE = Rule(
    ID,
    "lock-file-missing",
    Severity.ERROR,
    "D6",
    "Without a lock file every install asks the registry anew and may bring other versions than yesterday's; an "
    "install that is told to be frozen stops. Lock files of several package managers side by side contradict each "
    "other sooner or later.",
    check,
)
