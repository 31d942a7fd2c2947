"""The content tag of an image: ``in-`` and 16 hex digits over all that its target stages really take in.

Same tag, same inputs: an image that the registry has under its tag need not be built. What depends on the time
of the build (a package index, an unpinned download) is no input and does not change the tag.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from agent.model.names import fingerprint
from bridge.images.names import parse as parse_image
from bridge.images.render import Build
from bridge.workspace import dockerignore, installs, packages, pnpmlock
from bridge.workspace.context import Context, Entry
from bridge.workspace.dockerfile import Dockerfile, Instruction
from bridge.workspace.dockerfile import parse as parse_dockerfile
from bridge.workspace.packages import Workspace
from bridge.workspace.stages import CONTEXT, EVERYTHING, Inputs, Source, inputs

FORMAT: Final = 1
"""Part of every tag: raising it rebuilds everything once."""


@dataclass(frozen=True)
class Recipe:
    """One image about to be built: its Dockerfile read, its files found."""

    build: Build
    platform: str
    dockerfile: Dockerfile
    inputs: Inputs
    reader: Reader = field(repr=False)

    @property
    def images(self) -> list[str]:
        """Base images of others whose digests the tag needs, as written, and those of named contexts.

        The frontend of a ``# syntax=`` line counts by its name alone: its next release builds the same image.
        """
        listed = [text.removeprefix("docker-image://") for text in self._used_contexts.values() if _is_image(text)]
        return sorted({*self.inputs.images, *listed})

    @property
    def siblings(self) -> dict[str, str]:
        """Named contexts that are images of other services of the project: context → service."""
        return {name: text.partition(":")[2] for name, text in self._used_contexts.items() if _is_sibling(text)}

    @property
    def _used_contexts(self) -> dict[str, str]:
        return {name: self.build.contexts[name] for name in self.inputs.contexts}

    @cached_property
    def context(self) -> Context:
        ignore = dockerignore.for_dockerfile(self.build.dockerfile, self.build.context)
        return self.reader.context(self.build.context, ignore)

    @cached_property
    def files(self) -> list[list[str]]:
        """Context, path, mode and content id of every file that reaches the target."""
        chosen = self._chosen()
        lock = installs.LOCK if any(path == installs.LOCK for name, path in chosen if name == CONTEXT) else ""
        part = self._lock_part() if lock else None
        found = []
        for name in sorted({name for name, _ in chosen}):
            for path, mode, content in self._entries(name, {path for key, path in chosen if key == name}):
                content = part if part and name == CONTEXT and path == lock else content
                found.append([name, path, mode, content])
        return found

    def _entries(self, name: str, paths: set[str]) -> list[Entry]:
        return self._context(name).entries(paths)

    def _context(self, name: str) -> Context:
        if name == CONTEXT:
            return self.context
        folder = Path(self.build.contexts[name])
        return self.reader.context(folder, dockerignore.read(folder / ".dockerignore"))

    def _chosen(self) -> set[tuple[str, str]]:
        chosen: set[tuple[str, str]] = set()
        for source in [*self.inputs.sources, *self._whole_contexts()]:
            if source.context == CONTEXT or Path(self.build.contexts[source.context]).is_dir():
                chosen |= {(source.context, path) for path in self._paths(source)}
        return chosen

    def _whole_contexts(self) -> list[Source]:
        """``FROM <folder>`` takes all of a named context."""
        bases = [(name, stage.index) for stage in self.inputs.stages for name in stage.contexts]
        copied = {source.context for source in self.inputs.sources}
        return [Source(name, EVERYTHING, index) for name, index in bases if name not in copied]

    def _paths(self, source: Source) -> set[str]:
        paths = self._context(source.context).select(source.path)
        kept = self.narrowing.pruned.get(source.stage) if source.context == CONTEXT else None
        return paths if kept is None else {path for path in paths if self._is_kept(path, kept)}

    def _is_kept(self, path: str, folders: frozenset[str]) -> bool:
        owner = self.workspace.owner(path)
        return owner is None or self.workspace.packages[owner].folder in folders

    @cached_property
    def workspace(self) -> Workspace:
        return self.reader.workspace(self.build.context)

    @cached_property
    def narrowing(self) -> installs.Narrowing:
        """How far the installs are limited to some packages of the workspace."""
        takes = [source for source in self.inputs.sources if source.context == CONTEXT]
        takes = [source for source in takes if installs.LOCK in self.context.select(source.path)]
        whole = {source.stage for source in takes if source.path.strip("./") == ""}
        return installs.narrow(self.inputs, self.workspace, {source.stage for source in takes} - whole, whole)

    def _lock_part(self) -> str | None:
        folders = self.narrowing.lock
        if folders is None:
            return None
        part = self.reader.lock_part(self.build.context / installs.LOCK, folders)
        return None if part is None else hashlib.sha256(part.encode()).hexdigest()


class Reader:
    """Reads each folder once for all images of a project."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[Path, str], Context] = {}
        self._workspaces: dict[Path, Workspace] = {}

    def context(self, folder: Path, ignore: dockerignore.Ignore) -> Context:
        key = (folder, "\n".join(f"{item.negated}{item.text}" for item in ignore.patterns))
        return self._contexts.setdefault(key, Context(folder, ignore))

    def workspace(self, folder: Path) -> Workspace:
        if folder not in self._workspaces:
            self._workspaces[folder] = packages.read(folder)
        return self._workspaces[folder]

    @staticmethod
    def lock_part(file: Path, folders: frozenset[str]) -> str | None:
        return pnpmlock.part(file.read_text(encoding="utf-8"), folders)


def recipe(build: Build, platform: str, reader: Reader | None = None) -> Recipe:
    """Read the Dockerfile of ``build``. Raises ``Misuse`` (``dockerfile.*``, ``build.variable``)."""
    name = "dockerfile_inline" if build.inline else str(build.dockerfile)
    dockerfile = parse_dockerfile(build.text, name)
    taken = inputs(dockerfile, build.args, target=build.target, platform=platform,
                   contexts=frozenset(build.contexts), name=name)  # fmt: skip
    return Recipe(build, platform, dockerfile, taken, reader or Reader())


def content_tag(recipe: Recipe, digests: Mapping[str, str], sibling_tag: Callable[[str], str]) -> str:
    """Return the content tag of one image.

    Args:
        digests: digest of each of ``recipe.images``.
        sibling_tag: gives the content tag of another service's image, for ``service:`` contexts.
    """
    return "in-" + fingerprint(document(recipe, digests, sibling_tag))[:16]


def document(recipe: Recipe, digests: Mapping[str, str], sibling_tag: Callable[[str], str]) -> dict[str, Any]:
    """Return what is hashed, as plain data: to compare two builds and say why their tags differ."""
    build, taken = recipe.build, recipe.inputs
    return {
        "format": FORMAT,
        "platform": recipe.platform,
        "syntax": recipe.dockerfile.syntax,
        "preamble": [_instruction(item) for item in taken.preamble],
        "stages": [[_instruction(item) for item in stage.instructions] for stage in taken.stages],
        "target": [stage.index for stage in taken.stages].index(taken.target),
        "arguments": taken.arguments,
        "images": {image: digests[image] for image in recipe.images},
        "siblings": {name: sibling_tag(service) for name, service in recipe.siblings.items()},
        "addresses": {name: text for name, text in recipe._used_contexts.items() if _is_address(text)},
        "labels": build.labels,
        "secrets": sorted(secret.partition(",")[0] for secret in build.secrets),
        "extra": build.extra,
        "files": recipe.files,
    }


def _instruction(item: Instruction) -> list[Any]:
    return [item.keyword, list(item.flags), item.value, [document.content for document in item.heredocs]]


def _is_image(text: str) -> bool:
    return text.startswith("docker-image://")


def _is_sibling(text: str) -> bool:
    return text.startswith(("service:", "target:"))


def _is_address(text: str) -> bool:
    return ":" in text and not _is_image(text) and not _is_sibling(text)


def pins(recipe: Recipe, digests: Mapping[str, str]) -> dict[str, str]:
    """Return named contexts that make the build start from exactly the hashed base images."""
    return {
        image: f"docker-image://{parse_image(image).pinned(digests[image])}"
        for image in recipe.inputs.images
        if digests.get(image, "").startswith("sha256:")
    }
