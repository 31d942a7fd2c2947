"""What lies where while an image is built: files that an install reads, followed through COPY, prune and stages. Pure.

Only files that decide an install are followed (manifests, lock files, settings, patches), so that a Dockerfile takes
a millisecond.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from bridge.workspace import shell
from bridge.workspace.dockerfile import Dockerfile, Instruction
from bridge.workspace.shell import Command
from bridge.workspace.stages import pairs
from bridge.workspace.words import Unknown, expand

_REMOTE: Final = re.compile(r"(https?|git|ssh)://|git@|<<")
_WILD: Final = re.compile(r"[*?\[]")
_OPAQUE: Final = frozenset({"git", "curl", "wget", "unzip"})


@dataclass
class Copy:
    """A COPY, ADD or bind mount from the context: ``source`` expanded, ``others`` are sources beside it."""

    source: str
    line: int
    stage: int
    bind: bool = False
    others: int = 0


@dataclass
class Run:
    """A simple command of a RUN: where, with which values, and the files in place when it starts."""

    command: Command
    line: int
    end: int
    stage: int
    folder: str
    values: dict[str, str]
    files: dict[str, str]
    opaque: bool


@dataclass
class Layer:
    """The state of one stage while its instructions are walked."""

    index: int
    alias: str
    base: str = ""
    files: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    opaque: bool = False
    parent: int | None = None
    takes: set[int] = field(default_factory=set)
    pulls: list[tuple[int, str]] = field(default_factory=list)


class Walk:
    """Goes through a Dockerfile once.

    Args:
        files: the files to follow, relative to the context, that ``.dockerignore`` lets through.
        prune: what ``turbo prune`` keeps for these names: paths relative to the workspace root, by its layout.
    """

    def __init__(
        self,
        dockerfile: Dockerfile,
        files: Iterable[str],
        arguments: dict[str, str],
        prune: Callable[[list[str], bool], Iterable[tuple[str, str]]],
    ) -> None:
        self.files, self.arguments, self.prune, self.escape = sorted(files), arguments, prune, dockerfile.escape
        self.layers: list[Layer] = []
        self.copies: list[Copy] = []
        self.runs: list[Run] = []
        self.globals: dict[str, str] = {"TARGETPLATFORM": "linux/amd64", "TARGETARCH": "amd64", "TARGETOS": "linux"}
        for instruction in dockerfile.instructions:
            self._take(instruction)

    def reach(self, target: int | None = None) -> set[int]:
        """Return the stages that ``target`` (the last one when not given) stands on, itself included."""
        pending, seen = [len(self.layers) - 1 if target is None else target], set[int]()
        while pending:
            if (index := pending.pop()) not in seen:
                seen.add(index)
                layer = self.layers[index]
                pending += [*layer.takes, *([layer.parent] if layer.parent is not None else [])]
        return seen

    def stage(self, name: str) -> int | None:
        """Return the number of the stage called ``name``."""
        for layer in reversed(self.layers):
            if layer.alias and layer.alias == name.lower():
                return layer.index
        return int(name) if name.isdigit() and int(name) < len(self.layers) else None

    def _take(self, instruction: Instruction) -> None:
        if instruction.keyword == "FROM":
            self._from(instruction)
        elif not self.layers:
            self._argument(instruction, self.globals)
        else:
            handler = getattr(self, f"_{instruction.keyword.lower()}", None)
            if handler:
                handler(instruction, self.layers[-1])

    def _from(self, instruction: Instruction) -> None:
        words = instruction.words
        alias = words[2].lower() if len(words) == 3 and words[1].upper() == "AS" else ""
        base = self._expand(words[0], self.globals) if words else ""
        parent = self.stage(base) if not base.isdigit() else None
        layer = Layer(len(self.layers), alias, base, parent=parent)
        if parent is not None:
            above = self.layers[parent]
            layer.base, layer.files, layer.folder = above.base, dict(above.files), above.folder
            layer.values, layer.opaque = dict(above.values), above.opaque
        self.layers.append(layer)

    def _expand(self, text: str, values: dict[str, str]) -> str:
        try:
            return expand(text, values, self.escape)
        except Unknown:
            return ""

    def _argument(self, instruction: Instruction, values: dict[str, str]) -> None:
        for name, default in pairs(instruction.value):
            if name in self.arguments:
                values[name] = self.arguments[name]
            elif default is not None:
                values[name] = self._expand(default, {**self.globals, **values})
            elif name in self.globals:
                values[name] = self.globals[name]

    def _arg(self, instruction: Instruction, layer: Layer) -> None:
        self._argument(instruction, layer.values)

    def _env(self, instruction: Instruction, layer: Layer) -> None:
        found = pairs(instruction.value)
        if found and found[0][1] is None and len(instruction.words) > 1:
            found = [(instruction.words[0], instruction.value.split(None, 1)[1])]
        for name, value in found:
            layer.values[name] = self._expand(value or "", layer.values)

    def _workdir(self, instruction: Instruction, layer: Layer) -> None:
        layer.folder = posixpath.normpath(posixpath.join(layer.folder, self._expand(instruction.value, layer.values)))

    def _add(self, instruction: Instruction, layer: Layer) -> None:
        self._copy(instruction, layer)

    def _copy(self, instruction: Instruction, layer: Layer) -> None:
        *sources, target = [self._expand(word, layer.values) for word in instruction.words] or [""]
        sources = [source for source in sources if source and not _REMOTE.match(source)]
        many = len(sources) > 1 or any(_WILD.search(source) for source in sources)
        into = target.endswith("/") or target in (".", "..") or many
        place = posixpath.normpath(posixpath.join(layer.folder, target or "."))
        if origin := instruction.flag("from"):
            self._from_stage(self._expand(origin, layer.values), sources, place, into, layer)
            return
        parents = any(flag.startswith("--parents") for flag in instruction.flags)
        for source in sources:
            self.copies.append(Copy(source, instruction.line, layer.index, others=len(sources) - 1))
            layer.files.update(self._placed(source, place, into, parents))

    def _placed(self, source: str, place: str, into: bool, parents: bool = False) -> dict[str, str]:
        clean = posixpath.normpath("/" + source).lstrip("/")
        found: dict[str, str] = {}
        for path in self.files:
            if (rest := _covers(clean, path)) is None:
                continue
            if parents:
                found[f"{place}/{path}"] = path
            elif rest:
                found[posixpath.normpath(f"{place}/{rest}")] = path
            else:
                found[f"{place}/{posixpath.basename(path)}" if into else place] = path
        return found

    def _from_stage(self, origin: str, sources: list[str], place: str, into: bool, layer: Layer) -> None:
        if (index := self.stage(origin)) is None:
            return
        layer.takes.add(index)
        other = self.layers[index]
        layer.opaque = layer.opaque or other.opaque
        for source in sources:
            clean = posixpath.normpath(posixpath.join("/", source)).lstrip("/")
            layer.pulls.append((index, clean))
            for path, repo in list(other.files.items()):
                if (rest := _covers(clean, path.lstrip("/"))) is not None:
                    name = rest or (posixpath.basename(path) if into else "")
                    layer.files[posixpath.normpath(f"{place}/{name}")] = repo

    def _run(self, instruction: Instruction, layer: Layer) -> None:
        files = dict(layer.files)
        for mount in instruction.flag_values("mount"):
            files |= self._mount(mount, instruction, layer)
        folder = layer.folder
        text = "\n".join([instruction.value, *(document.content for document in instruction.heredocs)])
        text = " ".join(instruction.words) if instruction.json else text
        for command in shell.commands(text, lambda word: self._soft(word, layer.values)):
            if command.program == "cd" and command.words:
                folder = posixpath.normpath(posixpath.join(folder, command.words[0]))
                continue
            layer.opaque = layer.opaque or _rewrites(command)
            values = layer.values | dict(pair.split("=", 1) for pair in command.assigned)
            self.runs.append(Run(command, instruction.line, instruction.end, layer.index, folder, values, files,
                                 layer.opaque))  # fmt: skip
            if command.program == "turbo" and command.words[:1] == ("prune",):
                self._pruned(command, layer, folder)
            elif command.program in ("cp", "mv", "rsync") or command.program in _OPAQUE:
                self._moved(command, layer, folder)

    def _soft(self, word: str, values: dict[str, str]) -> str:
        if "$" not in word:
            return word
        return self._expand(word, {**self.globals, **values}) or word

    def _mount(self, mount: str, instruction: Instruction, layer: Layer) -> dict[str, str]:
        options = dict(part.partition("=")[::2] for part in mount.split(","))
        if options.get("type", "bind") != "bind":
            return {}
        source = self._expand(options.get("source") or options.get("src") or ".", layer.values)
        target = options.get("target") or options.get("dst") or options.get("destination") or "."
        place = posixpath.normpath(posixpath.join(layer.folder, self._expand(target, layer.values)))
        if "from" in options:
            borrowed = Layer(-1, "", folder=layer.folder)
            self._from_stage(options["from"], [source], place, False, borrowed)
            layer.takes |= borrowed.takes
            return borrowed.files
        self.copies.append(Copy(source, instruction.line, layer.index, bind=True))
        return self._placed(source, place, False)

    def _moved(self, command: Command, layer: Layer, folder: str) -> None:
        """Files that are copied by hand are not followed: from here on nothing is certain."""
        if command.program in ("cp", "mv", "rsync") and any(word.endswith(".json") for word in command.words):
            layer.opaque = True

    def _pruned(self, command: Command, layer: Layer, folder: str) -> None:
        names = [item.text for item in shell.filters(command)]
        out = (command.options("--out-dir") or ["out"])[0]
        for place, path in self.prune(names, command.has("--docker")):
            layer.files[posixpath.normpath(f"{posixpath.join(folder, out)}/{place}")] = path


def _rewrites(command: Command) -> bool:
    """Whether manifests may come or change by a command: cloned, written by a script, edited in place."""
    if command.program == "git":
        return "clone" in command.words
    return command.program in ("node", "jq", "sed", "npm", "echo", "printf") and any(
        "package.json" in word for word in command.words
    )


def _covers(pattern: str, path: str) -> str | None:
    """Return what of ``path`` lies below what ``pattern`` names (empty: it is that itself); None when it does not."""
    if pattern in ("", "."):
        return path
    if not _WILD.search(pattern):
        if path == pattern:
            return ""
        return path[len(pattern) + 1 :] if path.startswith(pattern + "/") else None
    parts, heads = pattern.split("/"), path.split("/")
    if len(heads) < len(parts) or not all(map(fnmatch.fnmatchcase, heads, parts)):
        return None
    return "/".join(heads[len(parts) :])
