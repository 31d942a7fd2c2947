"""What the RUN lines of a Dockerfile install: for which packages of the workspace, or for all. Pure.

Only what is understood for certain narrows anything; every doubt means the whole.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge.workspace.packages import Workspace
from bridge.workspace.stages import Inputs, Stage
from bridge.workspace.words import Unknown, expand

LOCK: Final = "pnpm-lock.yaml"
_SEPARATORS = re.compile(r"&&|\|\||[;|\n(){}]")
_FILTERS: Final = ("--filter", "-F", "--filter-prod")
_WITH_VALUE: Final = (*_FILTERS, "-C", "--dir", "--store-dir", "--reporter", "--loglevel")
_ALL: Final = frozenset({"install", "i", "ci", "deploy"})
_WHOLE: Final = frozenset({"fetch", "add", "update", "up", "rebuild", "import"})


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a build needs less than everything of.

    Attributes:
        lock: folders of the packages whose part of the lock file counts; None when all of it does.
        pruned: stage → folders of packages whose files count in it; files of other packages do not.
    """

    lock: frozenset[str] | None
    pruned: dict[int, frozenset[str]]


def narrow(inputs: Inputs, workspace: Workspace, named: set[int], whole: set[int]) -> Narrowing:
    """Return how far the installs of a build are limited to some packages.

    Args:
        named: the stages that copy the lock file by its name, or by a pattern that is not everything.
        whole: the stages that copy it along with everything else.
    """
    pruned = {stage.index: names for stage in inputs.stages if (names := _pruned(stage, inputs, workspace)) is not None}
    kept = {index: _folders(names, workspace) for index, names in pruned.items()}
    holders = _holders(inputs, named - set(pruned))
    installs = [_installs(stage, workspace) for stage in inputs.stages if stage.index in holders]
    if whole - set(pruned) or any(names is None for names in installs):
        return Narrowing(None, kept)
    needed = set().union(*pruned.values(), *(names or set() for names in installs))
    return Narrowing(_folders(needed, workspace) if needed else None, kept)


def _folders(names: set[str], workspace: Workspace) -> frozenset[str]:
    """The root always counts: what it names is installed beside every package."""
    return frozenset({".", *(workspace.packages[name].folder for name in names)})


def _holders(inputs: Inputs, having: set[int]) -> set[int]:
    """Return the stages into which the lock file may have come, directly or from another stage."""
    found = set(having)
    for stage in inputs.stages:  # in order: a stage only takes from earlier ones
        if any(take.stage in found for take in stage.takes):
            found.add(stage.index)
    return found


def _installs(stage: Stage, workspace: Workspace) -> set[str] | None:
    """Return the packages that the stage installs for; None when it installs for all, or nobody can say."""
    needed: set[str] = set()
    for words in _commands(stage):
        if words is None:
            return None
        filters = _filters(words)
        if filters is None:
            return None
        for selector in filters:
            if (found := workspace.select(selector)) is None:
                return None
            needed |= found
    return needed


def _commands(stage: Stage) -> Iterator[list[str] | None]:
    """Yield the words of each simple command; None for one that cannot be read and names a package manager."""
    for text in stage.commands:
        for part in _SEPARATORS.split(text.replace("\\\n", " ")):
            try:
                yield [expand(word, stage.values) if "$" in word else word for word in shlex.split(part, comments=True)]
            except (ValueError, Unknown):
                if re.search(r"pnpm|turbo", part):
                    yield None


def _after(words: list[str], program: str) -> list[str] | None:
    for at, word in enumerate(words):
        if word.rpartition("/")[2].partition("@")[0] == program:
            return words[at + 1 :]
    return None


def _filters(words: list[str]) -> list[str] | None:
    """Return the filters of an install (none for other commands); None when it installs everything."""
    rest = _after(words, "pnpm")
    if rest is None:
        return []
    options, verb = _options(rest)
    if verb in _WHOLE:
        return None
    if verb not in _ALL:
        return []
    filters = [value for name, value in options if name in _FILTERS]
    return filters or None


def _options(words: list[str]) -> tuple[list[tuple[str, str]], str]:
    """Split the words after ``pnpm`` into options with their values and the first plain word."""
    options, verb, at = [], "", 0
    while at < len(words):
        name, equals, value = words[at].partition("=")
        if not name.startswith("-"):
            verb = verb or words[at]
        elif equals:
            options.append((name, value))
        elif name in _WITH_VALUE and at + 1 < len(words):
            at += 1
            options.append((name, words[at]))
        at += 1
    return options, verb


def _pruned(stage: Stage, inputs: Inputs, workspace: Workspace) -> set[str] | None:
    """Return the packages to which ``turbo prune`` cuts what others take from the stage; None when it does not."""
    found = [prune for words in _commands(stage) if words and (prune := _prune(words))]
    if len(found) != 1 or stage.index == inputs.target:
        return None
    names, output = found[0]
    takes = [take.path for other in inputs.stages for take in other.takes if take.stage == stage.index]
    if not takes or not all(f"/{output}/" in f"/{path.strip('/')}/" for path in takes):
        return None
    selected = [workspace.select(name) for name in names]
    if not names or any(item is None for item in selected):
        return None
    return workspace.closure(set().union(*(item or set() for item in selected)))


def _prune(words: list[str]) -> tuple[list[str], str] | None:
    rest = _after(words, "turbo")
    if not rest or rest[0] != "prune":
        return None
    names: list[str] = []
    output, at = "out", 1
    while at < len(rest):
        name, equals, value = rest[at].partition("=")
        if name in ("--scope", "--out-dir"):
            if not equals:
                at += 1
                value = rest[at] if at < len(rest) else ""
            names, output = ([*names, value], output) if name == "--scope" else (names, value.strip("./"))
        elif not name.startswith("-"):
            names.append(rest[at])
        at += 1
    return names, output
