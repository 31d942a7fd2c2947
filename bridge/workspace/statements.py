"""Where a repository says how images are built, besides compose files: ``docker build`` in scripts and workflows."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge.workspace import shell
from bridge.workspace.manifests import Manifest
from bridge.workspace.tree import Tree

_SHELL: Final = re.compile(r"(?:^|/)(?:[\w.-]+\.sh|Makefile|Justfile|justfile|Taskfile\.ya?ml)$")
_ENDINGS: Final = (".sh", "file", ".yml", ".yaml")
WORKFLOW: Final = re.compile(r"(?:^|/)\.github/(?:workflows|actions)/[\w./-]+\.ya?ml$")
_ACTION: Final = re.compile(r"^(\s*)(?:- )?uses:\s*[\"']?docker/build-push-action", re.MULTILINE)
_BUILD: Final = re.compile(r"docker\s+(?:buildx\s+)?build\b")


@dataclass(frozen=True, slots=True)
class Statement:
    """One build: the Dockerfile and the context as paths of the repository, and where that stands."""

    file: str
    line: int
    path: str
    context: str
    target: str = ""


def read(tree: Tree, known: dict[str, Manifest]) -> Iterator[Statement]:
    """Yield every build that a script or workflow states with plain paths, of Dockerfiles that exist."""
    for manifest in known.values():
        for name, text in manifest.scripts.items():
            if _BUILD.search(text):
                line = manifest.position("scripts", name)[0]
                yield from _commands(tree, text, manifest.path, line, [manifest.folder])
    for path in tree.files:
        if ".github/" in path and WORKFLOW.search(path):
            yield from _workflow(tree, path)
        elif path.endswith(_ENDINGS) and _SHELL.search(path):
            folders = [".", posixpath.dirname(path) or "."]
            yield from _lines(tree, path, folders)


def _lines(tree: Tree, path: str, folders: list[str]) -> Iterator[Statement]:
    text = tree.text(path)
    if not _BUILD.search(text):
        return
    joined, start = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        start = start if joined else number
        joined += line.rstrip("\\") + " "
        if not line.endswith("\\"):
            if _BUILD.search(joined) and not joined.lstrip().startswith("#"):
                yield from _commands(tree, re.sub(r"^\s*(?:- )?run:\s*", "", joined), path, start, folders)
            joined = ""


def _commands(tree: Tree, text: str, file: str, line: int, folders: list[str]) -> Iterator[Statement]:
    for command in shell.commands(text):
        words = list(command.words)
        if command.program == "cd" and len(words) == 1 and "$" not in words[0]:
            folders = [posixpath.normpath(posixpath.join(folder, words[0])) for folder in folders]
        if command.program != "docker" or "build" not in words[:2]:
            continue
        rest = shell.Command("docker build", tuple(words[words.index("build") + 1 :]))
        contexts = _plain(rest.words)
        if len(contexts) == 1 and "$" not in contexts[0] and contexts[0] != "-":
            dockerfile = (rest.options("-f", "--file") or [""])[-1]
            target = (rest.options("--target") or [""])[-1]
            yield from _statement(tree, file, line, folders, contexts[0], dockerfile, target)


def _plain(words: tuple[str, ...]) -> list[str]:
    """The words that are neither options nor their values: nearly all options of ``docker build`` take one."""
    alone = {
        "--no-cache",
        "--pull",
        "--push",
        "--load",
        "--quiet",
        "-q",
        "--rm",
        "--force-rm",
        "--squash",
        "--compress",
    }
    found, at = [], 0
    while at < len(words):
        if not words[at].startswith("-"):
            found.append(words[at])
        elif "=" not in words[at] and words[at] not in alone:
            at += 1
        at += 1
    return found


def _statement(
    tree: Tree, file: str, line: int, folders: list[str], context: str, dockerfile: str, target: str
) -> Iterator[Statement]:
    if "$" in dockerfile or re.match(r"(https?|git)[:@]", context):
        return
    for folder in folders:
        place = posixpath.normpath(posixpath.join(folder, context))
        path = posixpath.normpath(posixpath.join(folder, dockerfile) if dockerfile else f"{place}/Dockerfile")
        if path in tree and tree.exists(place):
            yield Statement(file, line, path, place, target)
            return


def _workflow(tree: Tree, path: str) -> Iterator[Statement]:
    text = tree.text(path)
    yield from _lines(tree, path, ["."])
    for match in _ACTION.finditer(text):
        options = _with(text[match.end() :].splitlines()[1:], len(match[1]))
        if "context" in options or "file" in options:
            line = text.count("\n", 0, match.start()) + 1
            context, file = options.get("context", "."), options.get("file", "")
            if "{{" not in context + file:
                yield from _statement(tree, path, line, ["."], context, file, options.get("target", ""))


def _with(lines: list[str], indent: int) -> dict[str, str]:
    """The plain options of a step, up to the next step."""
    found: dict[str, str] = {}
    for line in lines[:60]:
        if line.strip() and (len(line) - len(line.lstrip()) < indent or line.lstrip().startswith("- ")):
            break
        match = re.fullmatch(r"\s+(context|file|target):\s*[\"']?([^\"'#\s]+)[\"']?\s*(?:#.*)?", line)
        if match:
            found.setdefault(match[1], match[2])
    return found
