"""IKB204: the build context lets in what belongs in no image."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Edit, Finding, Rule, Severity
from bridge.workspace.builds import Build, ignore_of
from bridge.workspace.dockerfile import Dockerfile
from bridge.workspace.dockerignore import Ignore
from bridge.workspace.layers import Walk

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB204"

_ALWAYS = {
    "**/node_modules": "node_modules/x",
    "**/.git": ".git/HEAD",
    "**/.env*": ".env",
    "**/._*": "._x",
    "**/.DS_Store": ".DS_Store",
}
_OUTPUT = (".next", "dist", "build", ".output", ".svelte-kit")
_MADE = {f"**/{name}": f"{name}/x" for name in (*_OUTPUT, "out", ".turbo", "coverage")}
_HEAVY = frozenset({"**/node_modules", "**/.env*", "**/.git", *(f"**/{name}" for name in _OUTPUT)})


def check(facts: Facts) -> Iterable[Finding]:
    by_file: dict[str, list[tuple[Build, set[str]]]] = {}
    for build in facts.builds:
        parsed = facts.dockerfiles.get(build.path)
        if isinstance(parsed, Dockerfile) and facts.workspace_around(build) is not None:
            folders = _folders(facts, build, parsed)
            if folders:
                by_file.setdefault(_file(facts, build), []).append((build, folders))
    for path, users in sorted(by_file.items()):
        if (finding := _finding(facts, path, users)) is not None:
            yield finding


def _file(facts: Facts, build: Build) -> str:
    own = f"{build.path}.dockerignore"
    return own if own in facts.tree else posixpath.normpath(f"{build.context}/.dockerignore")


def _folders(facts: Facts, build: Build, parsed: Dockerfile) -> set[str]:
    """The folders of the context that are copied whole and hold a package, relative to the context."""
    walk = Walk(parsed, [], build.arguments, _no_prune)
    prefix = "" if build.context == "." else build.context + "/"
    found = set()
    for copy in walk.copies:
        clean = posixpath.normpath("/" + copy.source).lstrip("/") or "."
        place = build.context if clean == "." else prefix + clean
        if (not re.search(r"[*?\[$]", clean) and place in facts.manifests) or (clean == "." and build.context == "."):
            found.add(clean)
    return found


def _finding(facts: Facts, path: str, users: list[tuple[Build, set[str]]]) -> Finding | None:
    build, folders = users[0][0], set().union(*(entry[1] for entry in users))
    ignore = ignore_of(facts.tree, build)
    meant = _meant(facts, [entry[0] for entry in users])
    made = {key: value for key, value in _MADE.items() if value.partition("/")[0] not in meant}
    samples = _ALWAYS | {key: value for key, value in made.items() if _is_made(facts, folders, value)}
    missing = [pattern for pattern, sample in samples.items() if _lets_in(ignore, folders, sample)]
    if not missing:
        return None
    exists = path in facts.tree
    severity = Severity.WARNING if not exists or _HEAVY & set(missing) else Severity.INFO
    head = f"{path} lets in" if exists else f"There is no {path}: every copy of {_word(folders)} takes in"
    message = f"{head} {', '.join(pattern.removeprefix('**/') for pattern in missing)}."
    apps = frozenset(entry[0].service.name for entry in users if entry[0].service is not None)
    fix = f"{'Add to' if exists else 'Write'} {path}:\n" + "\n".join(missing)
    edit = Edit(path, lambda old: completed(old, missing))
    place = (path, 1, 1) if exists else (build.path, 1, 1)
    return Finding(ID, severity, *place, message, path, min(apps) if len(apps) == 1 else "", apps, fix, (edit,))


def _word(folders: set[str]) -> str:
    return "the whole context" if "." in folders else ", ".join(sorted(folders)[:3])


def _meant(facts: Facts, builds: list[Build]) -> set[str]:
    """The names of folders that a context is meant to have: its own ones in git, and those that a COPY names."""
    found: set[str] = set()
    for context in {build.context for build in builds}:
        prefix = "" if context == "." else context + "/"
        found |= {folder.rpartition("/")[2] for folder in facts.tree.folders if folder.startswith(prefix)}
    for build in builds:
        if isinstance(parsed := facts.dockerfiles[build.path], Dockerfile):
            copies = Walk(parsed, [], build.arguments, _no_prune).copies
            found |= {part for copy in copies for part in copy.source.split("/")}
    return found


def _no_prune(_names: list[str], _docker: bool) -> tuple[tuple[str, str], ...]:
    return ()


def _is_made(facts: Facts, folders: set[str], sample: str) -> bool:
    """Whether the repository itself says that such a folder is output."""
    return any(facts.tree.would_ignore(sample if folder == "." else f"{folder}/{sample}") for folder in folders)


def _lets_in(ignore: Ignore, folders: set[str], sample: str) -> bool:
    paths = {sample if folder == "." else f"{folder}/{sample}" for folder in folders}
    if "." in folders:
        paths.add(f"apps/x/{sample}") if not sample.startswith(".git/") else None
    return any(not ignore.ignores(path) for path in paths)


def completed(text: str, patterns: list[str]) -> str:
    """Return a .dockerignore with these patterns, those that it has already left alone."""
    present = {line.strip() for line in text.splitlines()}
    new = [pattern for pattern in patterns if pattern not in present]
    if not new:
        return text
    gap = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{gap}{chr(10).join(new)}\n"


RULE = Rule(
    ID,
    "context-lets-in-too-much",
    Severity.WARNING,
    "D7",
    "What .dockerignore does not name is sent to the builder and copied along: node_modules of another platform "
    "over those just installed, output of an earlier build, history and environment files with secrets, and the ._* "
    "files that macOS writes and linters and compilers stumble over. Only what the Dockerfile copies whole is "
    "looked at, and the file is evaluated as Docker does.",
    check,
    "writes .dockerignore, or adds the lines that it lacks",
)
