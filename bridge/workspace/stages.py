"""What an image takes in: the stages its target reaches, and the files they COPY, ADD or bind. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agent.model.errors import Misuse
from bridge.workspace.dockerfile import Dockerfile, Instruction
from bridge.workspace.words import Unknown, expand

CONTEXT: Final = ""
"""The name of the build's own context; others have the name under which the build knows them."""

EVERYTHING: Final = "."
_REMOTE = re.compile(r"(https?|git|ssh)://|git@")
_PAIR = re.compile(r"""([A-Za-z_][A-Za-z0-9_.-]*)=("(?:\\.|[^"\\])*"|'[^']*'|(?:\\.|[^\s\\])*)""")


@dataclass(frozen=True, slots=True)
class Source:
    """Files that a stage takes from a context: a path, a pattern, or ``.`` for all of it."""

    context: str
    path: str
    stage: int


@dataclass(frozen=True, slots=True)
class Take:
    """What a stage takes from another one: ``COPY --from``, a bind, or all of it by ``FROM`` (path ``.``)."""

    stage: int
    path: str


@dataclass(slots=True)
class Stage:
    """One stage. ``base`` is the image it starts from; empty when it starts from another stage or from nothing."""

    index: int
    alias: str
    instructions: list[Instruction] = field(default_factory=list)
    base: str = ""
    images: list[str] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    takes: list[Take] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that reaches the target. ``arguments`` are the build arguments it can see, ``images`` what it starts from."""

    stages: tuple[Stage, ...]
    target: int
    arguments: dict[str, str]
    preamble: tuple[Instruction, ...]

    @property
    def images(self) -> list[str]:
        """References of images of others, as the Dockerfile has them after replacing arguments."""
        return sorted({image for stage in self.stages for image in stage.images})

    @property
    def contexts(self) -> list[str]:
        """Names of the named contexts that are used."""
        return sorted({name for stage in self.stages for name in stage.contexts})

    @property
    def sources(self) -> list[Source]:
        return [source for stage in self.stages for source in stage.sources]


def inputs(
    dockerfile: Dockerfile,
    arguments: Mapping[str, str],
    *,
    target: str = "",
    platform: str = "linux/amd64",
    contexts: frozenset[str] = frozenset(),
    name: str = "Dockerfile",
) -> Inputs:
    """Return what the stage ``target`` (the last one when empty) takes in.

    Args:
        arguments: build arguments with their values.
        contexts: names of the named contexts of the build; they stand before stages and images of that name.

    Raises:
        Misuse: ``dockerfile.stage`` for an unknown target, ``dockerfile.base`` for a base image without a name.
    """
    reader = _Graph(dockerfile, dict(arguments), _platform(platform), contexts, name)
    wanted = reader.find(target)
    reached = [reader.stages[index] for index in sorted(reader.reach(wanted))]
    seen = reader.global_names.union(*(stage.declared for stage in reached))
    used = {key: value for key, value in arguments.items() if key in seen}
    return Inputs(tuple(reached), wanted, used, tuple(reader.preamble))


def _platform(platform: str) -> dict[str, str]:
    system, _, architecture = platform.partition("/")
    machine, _, variant = architecture.partition("/")
    target = {"TARGETPLATFORM": platform, "TARGETOS": system, "TARGETARCH": machine, "TARGETVARIANT": variant}
    # Where the builder runs is no input of the image; an emulated stage is taken as a native one.
    return target | {key.replace("TARGET", "BUILD"): value for key, value in target.items()}


class _Graph:
    """Walks the instructions once, in order, with the values in force at each of them."""

    def __init__(
        self, dockerfile: Dockerfile, arguments: dict[str, str], automatic: dict[str, str], contexts: frozenset[str],
        name: str,
    ) -> None:  # fmt: skip
        self.arguments, self.automatic, self.contexts = arguments, automatic, contexts
        self.escape, self.file = dockerfile.escape, name
        self.stages: list[Stage] = []
        self.preamble: list[Instruction] = []
        self.globals: dict[str, str] = dict(automatic)
        self.global_names: set[str] = set()
        for instruction in dockerfile.instructions:
            self._take(instruction)

    def find(self, target: str) -> int:
        """Return the number of the stage called ``target``."""
        found = len(self.stages) - 1 if not target else self._stage(target)
        if found is None:
            known = ", ".join(stage.alias for stage in self.stages if stage.alias)
            raise Misuse("dockerfile.stage", file=self.file, target=target, known=known or "-")
        return found

    def reach(self, target: int) -> set[int]:
        """Return the numbers of all stages that ``target`` stands on, itself included."""
        seen: set[int] = set()
        pending = [target]
        while pending:
            if (index := pending.pop()) not in seen:
                seen.add(index)
                pending += [take.stage for take in self.stages[index].takes]
        return seen

    def _take(self, instruction: Instruction) -> None:
        if instruction.keyword == "FROM":
            self._from(instruction)
        elif not self.stages:
            self.preamble.append(instruction)
            self._declare(instruction, self.globals, self.global_names, {})
        else:
            self.stages[-1].instructions.append(instruction)
            self._inside(self.stages[-1], instruction)

    def _from(self, instruction: Instruction) -> None:
        words = instruction.words
        alias = words[2].lower() if len(words) == 3 and words[1].upper() == "AS" else ""
        stage = Stage(len(self.stages), alias, [instruction])
        self._start(stage, self._base(instruction))
        self.stages.append(stage)

    def _base(self, instruction: Instruction) -> str:
        try:
            base = expand(instruction.words[0], self.globals, self.escape) if instruction.words else ""
        except Unknown as unknown:
            raise Misuse("build.variable", name=unknown, where=f"{self.file}:{instruction.line}") from None
        if not base:
            raise Misuse("dockerfile.base", file=self.file, line=instruction.line)
        return base

    def _start(self, stage: Stage, base: str) -> None:
        if base in self.contexts:
            stage.contexts.append(base)
        elif (parent := self._stage(base, numbers=False)) is not None:
            stage.takes.append(Take(parent, EVERYTHING))
            stage.values.update(self.stages[parent].values)
        elif base != "scratch":
            stage.base = base
            stage.images.append(base)

    def _inside(self, stage: Stage, instruction: Instruction) -> None:
        handler = {"ARG": self._argument, "ENV": self._environment, "RUN": self._run}.get(instruction.keyword)
        if handler:
            handler(stage, instruction)
        elif instruction.keyword in ("COPY", "ADD"):
            self._copy(stage, instruction)

    def _argument(self, stage: Stage, instruction: Instruction) -> None:
        self._declare(instruction, stage.values, stage.declared, self.globals)

    def _declare(
        self, instruction: Instruction, values: dict[str, str], declared: set[str], outer: Mapping[str, str]
    ) -> None:
        for name, default in pairs(instruction.value):
            declared.add(name)
            if name in self.arguments:
                values[name] = self.arguments[name]
            elif default is not None:
                self._set(values, name, default)
            elif name in outer:
                values[name] = outer[name]
            else:
                values.setdefault(name, "")

    def _environment(self, stage: Stage, instruction: Instruction) -> None:
        found = pairs(instruction.value)
        if found and found[0][1] is None and len(instruction.words) > 1:  # the old form: ENV NAME the rest
            found = [(instruction.words[0], instruction.value.split(None, 1)[1])]
        for name, value in found:
            self._set(stage.values, name, value or "")

    def _set(self, values: dict[str, str], name: str, text: str) -> None:
        try:
            values[name] = expand(text, values, self.escape)
        except Unknown:
            values.pop(name, None)  # unknown from here on, whatever it was before

    def _run(self, stage: Stage, instruction: Instruction) -> None:
        body = "".join(document.content for document in instruction.heredocs)
        stage.commands.append(f"{instruction.value}\n{body}" if not instruction.json else " ".join(instruction.words))
        for mount in instruction.flag_values("mount"):
            self._mount(stage, dict(_option(part) for part in mount.split(",")))

    def _mount(self, stage: Stage, options: dict[str, str]) -> None:
        path = options.get("source") or options.get("src") or EVERYTHING
        kind = options.get("type", "bind")
        if "from" in options and kind in ("bind", "cache"):
            self._from_other(stage, options["from"], [path])
        elif kind == "bind":
            self._files(stage, [path])

    def _copy(self, stage: Stage, instruction: Instruction) -> None:
        words = list(instruction.words)[:-1]
        names = {document.name for document in instruction.heredocs}
        words = [word for word in words if not _is_heredoc(word, names)]
        if origin := instruction.flag("from"):
            self._from_other(stage, origin, words)
        else:
            self._files(stage, [word for word in words if not _REMOTE.match(word)])

    def _files(self, stage: Stage, paths: list[str], context: str = CONTEXT) -> None:
        for path in paths:
            stage.sources.append(Source(context, self._expanded(stage, path), stage.index))

    def _from_other(self, stage: Stage, origin: str, paths: list[str]) -> None:
        name = self._expanded(stage, origin)
        if name in self.contexts:
            stage.contexts.append(name)
            self._files(stage, paths, name)
        elif (other := self._stage(name)) is not None:
            stage.takes += [Take(other, self._expanded(stage, path)) for path in paths]
        elif name not in ("scratch", EVERYTHING):
            stage.images.append(name)

    def _expanded(self, stage: Stage, text: str) -> str:
        """Replace what is known; a path that depends on a value of the base image may be anything."""
        try:
            return expand(text, stage.values, self.escape)
        except Unknown:
            return EVERYTHING

    def _stage(self, name: str, numbers: bool = True) -> int | None:
        for stage in reversed(self.stages):
            if stage.alias and stage.alias == name.lower():
                return stage.index
        return int(name) if numbers and name.isdigit() and int(name) < len(self.stages) else None


def _option(part: str) -> tuple[str, str]:
    key, _, value = part.partition("=")
    return key.strip().lower(), value


def _is_heredoc(word: str, names: set[str]) -> bool:
    return "<<" in word and word.partition("<<")[2].lstrip("-").strip("\"'") in names


def pairs(text: str) -> list[tuple[str, Any]]:
    """Return the ``name=value`` pairs of ARG or ENV, values still quoted; None for a name alone."""
    found: list[tuple[str, Any]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif match := _PAIR.match(text, at):
            found.append((match[1], match[2]))
            at = match.end()
        else:
            word = text[at:].split(None, 1)[0]
            found.append((word, None))
            at += len(word)
    return found
