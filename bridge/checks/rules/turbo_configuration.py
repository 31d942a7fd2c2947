"""IKB302: turbo refuses its configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace import jsontext
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB302"


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        prefix = "" if repo.folder == "." else repo.folder + "/"
        path = next((path for name in ("turbo.json", "turbo.jsonc") if (path := prefix + name) in facts.tree), "")
        if path and _is_second(repo):
            yield from _configured(facts, repo, path)


def _is_second(repo: Monorepo) -> bool:
    """Whether the lock file has turbo, and none but its second version."""
    versions = repo.lock.versions.get("turbo", []) if repo.lock else []
    return bool(versions) and all(version.startswith("2.") for version in versions)


def _configured(facts: Facts, repo: Monorepo, path: str) -> Iterator[Finding]:
    value = _read(facts, path)
    if "pipeline" in value:
        fix = 'Rename "pipeline" to "tasks".'
        yield _finding(facts, path, '"pipeline"', "turbo 2 stops at pipeline, which it calls tasks.", fix, "turbo")
    if not facts.tree.submodules and not repo.has_nameless:  # they may hold the package
        yield from _waiting(facts, repo, path, value)
    stated = repo.root.problem or "packageManager" in repo.root.data or "devEngines" in repo.root.data
    if not stated and not value.get("dangerouslyDisablePackageManagerCheck"):
        message = f"{repo.root.path} has no packageManager, and turbo 2 stops without it."
        fix = f'Add "packageManager": "{repo.manager.name}@<version>" to {repo.root.path}.'
        yield _finding(facts, repo.root.path, "{", message, fix, "turbo")


def _waiting(facts: Facts, repo: Monorepo, path: str, value: dict[str, Any]) -> Iterator[Finding]:
    """Tasks that wait for one of a package that does not exist: turbo stops when it is asked for such a task."""
    for task, entry in _tasks(value).items():
        own, specific, _ = task.partition("#")
        # what is said of a package that does not exist is never asked for
        depends = entry.get("dependsOn") if not specific or own in repo.by_name else None
        for item in depends if isinstance(depends, list) else []:
            name, hash_, _ = str(item).partition("#")
            if hash_ and name not in ("", "//") and name not in repo.by_name:
                message = f"{task} waits for {item}, and no package of the workspace is called {name}: turbo stops."
                severity = Severity.ERROR if task.rpartition("#")[2] == "build" else Severity.WARNING
                fix = "Correct the name, or remove the entry."
                yield _finding(facts, path, f'"{item}"', message, fix, name, severity)


def _read(facts: Facts, path: str) -> dict[str, Any]:
    try:
        value = jsontext.parse(facts.tree.text(path), lenient=True).value
    except jsontext.Broken:
        return {}  # another rule says so
    return value if isinstance(value, dict) else {}


def _tasks(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tasks = value.get("tasks")
    listed = tasks.items() if isinstance(tasks, dict) else ()
    return {str(name): task for name, task in listed if isinstance(task, dict)}


def _finding(
    facts: Facts, path: str, word: str, message: str, fix: str, package: str, severity: Severity = Severity.ERROR
) -> Finding:
    line, column = facts.line_of(path, word)
    return Finding(ID, severity, path, line, column, message, package, fix=fix)


RULE = Rule(
    ID,
    "turbo-configuration",
    Severity.ERROR,
    "D5",
    "turbo reads its configuration before it runs anything and stops at what it does not take: the key pipeline since "
    "version 2, a task that waits for a package that does not exist, a root package.json that does not pin the "
    "package manager. The version in the lock file decides.",
    check,
)
