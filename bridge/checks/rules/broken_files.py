"""IKB903: a file that decides the build does not load."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.shown import is_shown
from bridge.checks.usage import is_aside
from bridge.workspace import jsontext, plainyaml

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB903"


def check(facts: Facts) -> Iterable[Finding]:
    members = {folder for repo in facts.repos for folder in repo.members}
    for manifest in facts.manifests.values():
        if (problem := manifest.problem) is not None:
            severity = Severity.ERROR if manifest.folder in members else Severity.INFO
            message = f"{manifest.path} does not load: {problem.reason}."
            yield Finding(ID, severity, manifest.path, problem.line, problem.column, message, manifest.label)
    for repo in facts.repos:
        for path, reason, line, column in repo.settings.problems:
            yield Finding(ID, Severity.ERROR, path, line, column, f"{path} does not load: {reason}.")
    yield from _turbo(facts)
    yield from _docker(facts)
    yield from _beside(facts)


def _turbo(facts: Facts) -> Iterator[Finding]:
    for repo in facts.repos:
        prefix = "" if repo.folder == "." else repo.folder + "/"
        for path in (f"{prefix}turbo.json", f"{prefix}turbo.jsonc"):
            if path in facts.tree:
                try:
                    jsontext.parse(facts.tree.text(path), lenient=True)
                except jsontext.Broken as problem:
                    message = f"{path} does not load: {problem.reason}."
                    yield Finding(ID, Severity.ERROR, path, problem.line, problem.column, message, repo.root.label)


def _docker(facts: Facts) -> Iterator[Finding]:
    stated = {build.path for build in facts.builds if not build.guessed}
    for path, parsed in facts.dockerfiles.items():
        if isinstance(parsed, IkomaError):
            line = int(parsed.params.get("line", 1) or 1)
            severity = Severity.ERROR if path in stated else Severity.WARNING
            yield Finding(ID, severity, path, line, 1, parsed.message("en"), path)
    for compose in facts.composes:
        if compose.problem is not None:
            reason, line, column = compose.problem
            severity = Severity.ERROR if compose.path == facts.compose_path else Severity.WARNING
            yield Finding(ID, severity, compose.path, line, column, f"{compose.path} does not load: {reason}.")


_COMPILER = re.compile(r"(?:^|/)(?:tsconfig[\w.-]*|jsconfig)\.json$")
_WORKFLOW = re.compile(r"^\.github/workflows/[\w.-]+\.ya?ml$")


def _beside(facts: Facts) -> Iterator[Finding]:
    """Settings of the compiler, as it reads them, and workflows: no image is built by them alone."""
    for path in facts.tree.files:
        if path.endswith(".json") and _COMPILER.search(path):
            shown = is_aside(path) or is_shown(path)
            reason: jsontext.Broken | plainyaml.Broken | None = None if shown else _unread(facts.tree.text(path))
        elif path.startswith(".github/") and _WORKFLOW.match(path):
            reason = _unloaded(facts.tree.text(path))
        else:
            continue
        if reason is not None:
            message = f"{path} does not load: {reason.reason}."
            yield Finding(ID, Severity.WARNING, path, reason.line, reason.column, message, path)


def _unread(text: str) -> jsontext.Broken | None:
    """Why the compiler cannot read ``text``; it takes comments, trailing commas, and nothing at all."""
    try:
        if jsontext.without_comments(text).strip():
            jsontext.parse(text, lenient=True)
    except jsontext.Broken as problem:
        return problem
    return None


def _unloaded(text: str) -> plainyaml.Broken | None:
    try:
        plainyaml.load(text)
    except plainyaml.Broken as problem:
        return problem
    return None


RULE = Rule(
    ID,
    "file-does-not-load",
    Severity.ERROR,
    "",
    "A manifest, a workspace file, a Dockerfile or a compose file cannot be read: not valid JSON or YAML, marks of "
    "an unfinished merge, an instruction that does not exist. Everything that depends on it would fail later and "
    "say less. Settings of the TypeScript compiler and workflows, which no image is built by alone, are warnings.",
    check,
)
