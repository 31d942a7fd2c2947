"""All facts about one repository, each computed once and only when a rule asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from bridge.checks import reach
from bridge.checks.shown import is_shown
from bridge.workspace import builds, compose, monorepo, statements
from bridge.workspace.aliases import Aliases
from bridge.workspace.builds import Build, Image
from bridge.workspace.compose import Compose
from bridge.workspace.dockerfile import Dockerfile
from bridge.workspace.graph import Graph
from bridge.workspace.imports import Imports
from bridge.workspace.lock import FILES
from bridge.workspace.manifests import Manifest
from bridge.workspace.monorepo import Monorepo, Owners
from bridge.workspace.statements import Statement
from bridge.workspace.tree import Tree

if TYPE_CHECKING:
    from agent.model.contract import Contract
    from agent.model.dsn import Dsn
    from bridge.checks.model import Accepted

CONTRACT = "ikoma.release.json"


class Facts:
    """A repository as the rules see it. Paths are relative to ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.changed: frozenset[str] | None = None
        """What the caller says has changed; None where he does not say."""
        self.database: Dsn | None = None
        """A server where migrations may be tried; None: nothing is connected to."""
        self.accepted: list[Accepted] = []
        """What the contract silenced, once the rules have run."""
        self.tree = Tree(root)
        self.manifests, self.repos = monorepo.read(self.tree)
        self.owners = Owners(self.manifests)
        self._reached: dict[int, frozenset[str]] = {}
        self._built: dict[str, frozenset[str]] = {}

    @cached_property
    def main(self) -> Monorepo | None:
        """The outermost workspace."""
        return self.repos[0] if self.repos else None

    @cached_property
    def _homes(self) -> dict[str, Monorepo]:
        return {folder: repo for repo in reversed(self.repos) for folder in repo.members}

    def repo_of(self, manifest: Manifest) -> Monorepo | None:
        """Return the workspace that ``manifest`` is a member of; None for one outside of all."""
        return self._homes.get(manifest.folder)

    @cached_property
    def imports(self) -> Imports:
        return Imports(self.tree)

    @cached_property
    def aliases(self) -> Aliases:
        return Aliases(self.tree, self.owners)

    @cached_property
    def graph(self) -> Graph:
        return Graph(self.tree, self.owners, self.aliases, self.imports)

    def reached(self, image: Image) -> frozenset[str]:
        """Return the source files that the build of ``image`` looks at."""
        if id(image) not in self._reached:
            self._reached[id(image)] = reach.reached(self, image)
        return self._reached[id(image)]

    def built(self, repo: Monorepo) -> frozenset[str]:
        """Return the source files that a build of everything in ``repo`` looks at, where no image says more."""
        if repo.folder not in self._built:
            self._built[repo.folder] = reach.built(self, repo)
        return self._built[repo.folder]

    @cached_property
    def composes(self) -> list[Compose]:
        paths = {path for path in self.tree.files if "compose" in path and compose.NAME.search(path)}
        if self.compose_path in self.tree:
            paths.add(self.compose_path)
        return [compose.read(self.tree, path) for path in sorted(paths)]

    @cached_property
    def contract(self) -> Contract | IkomaError | None:
        """The contract, or the fault in it; None when the repository has none."""
        if CONTRACT not in self.tree:
            return None
        from agent.model import contract as contracts

        try:
            return contracts.load(self.tree.text(CONTRACT), CONTRACT)
        except IkomaError as error:
            return error

    @cached_property
    def compose_path(self) -> str:
        """The compose file that is deployed: the contract's, else the one that Docker takes at the top."""
        if self.contract is not None and not isinstance(self.contract, IkomaError):
            return self.contract.compose
        names = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
        return next((name for name in names if name in self.tree), "")

    @cached_property
    def dockerfiles(self) -> dict[str, Dockerfile | IkomaError]:
        """Path → parsed Dockerfile, or the fault in it."""
        stated = {build.path for build in self._stated} | {item.path for item in self.statements}
        paths = [path for path in self.tree.files if builds.is_dockerfile(path)]
        return {path: builds.parse(self.tree, path) for path in sorted({*paths, *stated} & set(self.tree.files))}

    @cached_property
    def command_texts(self) -> list[str]:
        """The files in which an image or a service says what it starts."""
        return [self.tree.text(path) for path in (*self.dockerfiles, *(item.path for item in self.composes))]

    @cached_property
    def _stated(self) -> list[Build]:
        return [build for item in self.composes for service in item.services for build in self._of_service(service)]

    @cached_property
    def statements(self) -> list[Statement]:
        """What scripts and workflows say about builds."""
        return list(statements.read(self.tree, self.manifests))

    def _of_service(self, service: compose.Service) -> Iterator[Build]:
        section = service.build
        if section is None or "dockerfile_inline" in section:
            return
        context = compose.folder_of(service.file, str(section.get("context", ".")))
        if context is None:
            return
        path = str(section.get("dockerfile", "Dockerfile"))
        place = compose.folder_of(f"{context}/x" if context != "." else "x", path)
        if place is not None:
            names = section.get("additional_contexts")
            yield Build(place, context, False, str(section.get("target") or ""), _arguments(section.get("args")),
                        frozenset(names if isinstance(names, dict) else ()), service)  # fmt: skip

    @cached_property
    def builds(self) -> list[Build]:
        """Every image that is built: as compose files state it, and Dockerfiles that none of them names."""
        stated = list({(b.path, b.context, b.target): b for b in reversed(self._stated)}.values())[::-1]
        for item in self.statements:
            if not any(build.path == item.path for build in stated):
                stated.append(Build(item.path, item.context, False, item.target, statement=item))
        named = {build.path for build in stated}
        guessed = [
            Build(path, self._guessed_context(path, parsed), True)
            for path, parsed in self.dockerfiles.items()
            if path not in named and isinstance(parsed, Dockerfile)
        ]
        return stated + guessed

    def _guessed_context(self, path: str, parsed: Dockerfile) -> str:
        """Where a Dockerfile is probably built from: the root around it, or its own package when it belongs to none."""
        owner = self.owners.of(path)
        home = self.repo_of(owner) if owner is not None else None
        if owner is not None and home is None:
            return owner.folder
        likely = [home.folder] if home is not None else [path.rpartition("/")[0] or "."]
        return builds.guess_context(self.tree, path, parsed, likely)

    @cached_property
    def images(self) -> list[Image]:
        """The images that have to do with a workspace."""
        found = []
        for build in self.builds:
            parsed = self.dockerfiles.get(build.path)
            repo = self._repo_for(build)
            shown = build.guessed and is_shown(build.path)
            if isinstance(parsed, Dockerfile) and repo is not None and not shown:
                image = Image(self.tree, repo, build, parsed)
                if image.is_ours:
                    found.append(image)
        return found

    def workspace_around(self, build: Build) -> Monorepo | None:
        """Return the workspace that a build belongs to."""
        return self._repo_for(build)

    def _repo_for(self, build: Build) -> Monorepo | None:
        """The workspace an image builds: the one around its Dockerfile, or below its context."""
        owner = self.owners.of(build.path)
        if owner is not None and self._stands_alone(owner, build):
            return None
        if owner is not None and (repo := self.repo_of(owner)) is not None:
            return repo
        if owner is not None and build.guessed:
            return None
        inside = [repo for repo in self.repos if build.context == "." or repo.folder.startswith(build.context)]
        return inside[0] if inside else None

    def _stands_alone(self, owner: Manifest, build: Build) -> bool:
        """Whether an image installs a member by the lock file that lies in the member's own folder."""
        repo = self.repo_of(owner)
        inside = repo is not None and owner is not repo.root and build.context == owner.folder
        return inside and any(f"{owner.folder}/{name}" in self.tree for name in (*FILES, "bun.lockb"))

    def line_of(self, path: str, word: str, start: int = 1, end: int | None = None) -> tuple[int, int]:
        """Return line and column where ``word`` first stands between two lines of a file; else the first line."""
        lines = self.tree.text(path).splitlines()
        for number in range(start - 1, min(end or len(lines), len(lines))):
            if (column := lines[number].find(word)) >= 0:
                return number + 1, column + 1
        return start, 1


def _arguments(value: object) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(key): str(item) for key, item in value.items() if item is not None and "$" not in str(item)}
    if isinstance(value, list):
        pairs = (str(item).split("=", 1) for item in value)
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and "$" not in pair[1]}
    return {}
