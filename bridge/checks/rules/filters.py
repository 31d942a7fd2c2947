"""IKB301: a filter names no package."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.checks.model import Edit, Finding, Rule, Severity
from bridge.workspace import globs, shell
from bridge.workspace.monorepo import Monorepo
from bridge.workspace.shell import Command, Filter

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB301"

_SELECTOR = re.compile(r"(!)?(\.\.\.)?(\^)?(\{[^}]*\}|[^\[\]{}]*?)?(\{[^}]*\})?(\[[^\]]*\])?(\^)?(\.\.\.)?")
_VITAL = re.compile(r"build|deploy|start|release|prod|ci\b|docker|prune", re.IGNORECASE)
_SHELL = re.compile(r"(?:^|/)(?:[\w.-]+\.sh|Makefile|Procfile|Justfile|justfile)$")
_WORKFLOW = re.compile(r"(?:^|/)\.github/workflows/[\w.-]+\.ya?ml$")
_ENDINGS = (".sh", "file", ".yml", ".yaml")
_HINT = re.compile(r"--filter|-F\s|--scope|turbo(?:@\S+)?\s+prune|yarn\s+workspace\s|--workspace[= ]|npm\s.*-w[= ]")


@dataclass(frozen=True)
class Place:
    """Where a filter stands, and how bad it is there when it names nothing."""

    file: str
    line: int
    column: int
    severity: Severity
    app: str = ""


def check(facts: Facts) -> Iterable[Finding]:
    yield from _dockerfiles(facts)
    for repo in facts.repos:
        yield from _scripts(repo)
    if facts.main is not None and facts.main.is_workspace:
        yield from _files(facts, facts.main)


def _dockerfiles(facts: Facts) -> Iterator[Finding]:
    for image in facts.images:
        for run, item in image.filters:
            if image.repo.is_workspace:
                line, column = facts.line_of(image.build.path, item.text, run.line, run.end)
                place = Place(image.build.path, line, column, _severity(image.repo, run.command, item), image.name)
                yield from _judge(image.repo, item, place)


def _severity(repo: Monorepo, command: Command, item: Filter) -> Severity:
    """pnpm does without a filter that names nothing as long as another one names something."""
    if item.tool != "pnpm":
        return Severity.ERROR
    others = [other.text.strip(".^{}") for other in shell.filters(command) if other.text != item.text]
    lives = any("$" in text or "/" in text or matches(repo, "pnpm", text) for text in others)
    return Severity.WARNING if lives else Severity.ERROR


def _scripts(repo: Monorepo) -> Iterator[Finding]:
    if not repo.is_workspace:
        return
    for manifest in repo.members.values():
        for name, text in manifest.scripts.items():
            for command in shell.commands(text) if _HINT.search(text) else ():
                for item in shell.filters(command):
                    line, column = manifest.position("scripts", name)
                    bad = _VITAL.search(name) is not None and item.tool != "pnpm"
                    severity = Severity.ERROR if bad and manifest is repo.root else Severity.WARNING
                    yield from _judge(repo, item, Place(manifest.path, line, column, severity))


def _files(facts: Facts, repo: Monorepo) -> Iterator[Finding]:
    """Shell scripts and workflows: line by line, for both hold more than commands."""
    for path in facts.tree.files:
        if not path.endswith(_ENDINGS) or (not _SHELL.search(path) and not _WORKFLOW.search(path)):
            continue
        for number, line in enumerate(facts.tree.text(path).splitlines(), 1):
            text = re.sub(r"^\s*(?:- )?run:\s*", "", line)
            if not _HINT.search(text) or text.lstrip().startswith("#"):
                continue
            for command in shell.commands(text):
                for item in shell.filters(command):
                    place = Place(path, number, line.find(item.text) + 1, Severity.WARNING)
                    yield from _judge(repo, item, place)


def _judge(repo: Monorepo, item: Filter, place: Place) -> Iterator[Finding]:
    match = _SELECTOR.fullmatch(item.text)
    if (
        match is None
        or repo.has_nameless
        or match[1]
        or not match[4]
        or (any(char in item.text for char in "$<>@:") and not _scoped(item.text))
    ):
        return
    name = match[4]
    if name.startswith(("{", ".", "/")) or (item.tool == "npm" and name[0] != "@" and "/" in name):
        yield from _folder(repo, item, name, place)
    elif not matches(repo, item.tool, name) and not (item.tool == "bun" and repo.manager.name != "bun"):
        yield _finding(repo, item, name, place)


def _scoped(text: str) -> bool:
    return re.fullmatch(r"[!.^{]*@[\w.~*-]+/[\w.~*-]+[\^.}]*(\[.*\])?(\.\.\.)?", text) is not None


def matches(repo: Monorepo, tool: str, name: str) -> bool:
    """Return whether ``tool`` finds a package under ``name``: pnpm takes a unique one without its scope, turbo not."""
    if name in repo.by_name or name == "//":
        return True
    if "*" in name:
        return any(globs.regex(name).fullmatch(known) for known in repo.by_name)
    if tool == "pnpm" or (tool == "turbo" and _old_turbo(repo)):
        return sum(1 for known in repo.by_name if known.rpartition("/")[2] == name) == 1
    if tool in ("npm", "bun"):
        prefix = "" if repo.folder == "." else repo.folder + "/"
        return f"{prefix}{name}" in repo.members or any(f.startswith(f"{prefix}{name}/") for f in repo.members)
    return False


def _old_turbo(repo: Monorepo) -> bool:
    return re.match(r"[\^~]?1\.", repo.root.specifier("turbo")) is not None


def _folder(repo: Monorepo, item: Filter, name: str, place: Place) -> Iterator[Finding]:
    clean = name.strip("{}").removeprefix("./").removesuffix("/**").rstrip("/")
    if clean in ("", ".") or ".." in clean or clean.startswith("/"):
        return
    prefix = "" if repo.folder == "." else repo.folder + "/"
    pattern = globs.regex(f"{prefix}{clean}")
    if not any(pattern.fullmatch(folder) or folder.startswith(f"{prefix}{clean}/") for folder in repo.members):
        yield _finding(repo, item, name, place)


def _finding(repo: Monorepo, item: Filter, name: str, place: Place) -> Finding:
    near = nearest(repo, name)
    what = "turbo, npm and yarn stop at it" if item.tool != "pnpm" else "pnpm then builds nothing and exits 0"
    message = f'No package of the workspace is called "{name}" ({item.tool}): {what}.'
    if not near:
        return Finding(ID, place.severity, place.file, place.line, place.column, message, name, place.app)
    text = f'Write "{near}" instead of "{name}".'
    pattern = re.compile(rf"(?<![\w@/.-]){re.escape(name)}(?![\w/-])")
    edit = Edit(place.file, lambda old: _replaced(old, pattern, near, place.line))
    sure = near.rpartition("/")[2] == name
    return Finding(ID, place.severity, place.file, place.line, place.column, message, name, place.app, fix=text,
                   edits=(edit,) if sure else ())  # fmt: skip


def _replaced(text: str, pattern: re.Pattern[str], near: str, line: int) -> str:
    """Replace on the one line, and only behind an option that names packages."""
    lines = text.split("\n")
    if line <= len(lines):
        lines[line - 1] = _OPTION.sub(lambda match: match[1] + pattern.sub(near, match[2]), lines[line - 1])
    return "\n".join(lines)


_OPTION = re.compile(
    r"((?:--filter|-F|--filter-prod|--scope|--workspace|-w|prune|workspace)[= ]\s*[\"'\\]*)([^\s\"'\\]+)"
)


def nearest(repo: Monorepo, name: str) -> str:
    """Return the package that was probably meant; empty when none is near."""
    same = [known for known in repo.by_name if known.rpartition("/")[2] == name.rpartition("/")[2]]
    if same:
        return same[0]
    folders = [manifest.name for folder, manifest in repo.members.items() if folder.rpartition("/")[2] == name]
    close = difflib.get_close_matches(name, list(repo.by_name), 1, 0.6)
    return (folders or close or [""])[0]


RULE = Rule(
    ID,
    "filter-matches-nothing",
    Severity.ERROR,
    "D5",
    "A command names a package of the workspace that does not exist. turbo, yarn and npm stop; pnpm says “No projects "
    "matched” and exits 0, so the image ships without a build and fails when it starts. pnpm accepts a name without "
    "its scope when it is unique, turbo does not: website works for the one and fails for the other. It is an error in "
    "a Dockerfile and in the scripts of the root that build, a warning elsewhere.",
    check,
    "writes the scoped name where exactly that was meant",
)
