"""The images that a repository builds: Dockerfiles, the contexts that compose files state, what each holds."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from agent.model.errors import IkomaError
from bridge.workspace import dockerfile, globs, shell
from bridge.workspace.compose import Service
from bridge.workspace.dockerfile import Dockerfile
from bridge.workspace.dockerignore import Ignore
from bridge.workspace.layers import Run, Walk
from bridge.workspace.lock import FILES
from bridge.workspace.monorepo import Monorepo
from bridge.workspace.shell import Filter
from bridge.workspace.statements import Statement
from bridge.workspace.tree import Tree

NAME: Final = re.compile(r"(?:^|/)(?:Dockerfile(?:[._-][\w.-]+)?|[\w.-]+\.[Dd]ockerfile|Containerfile)$")
_NO_DOCKERFILE: Final = (".dockerignore", ".md", ".txt", ".hbs", ".ejs", ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl",
                         ".template", ".mustache", ".liquid", ".erb", ".eta", ".njk", ".sh", ".yml", ".yaml", ".json",
                         ".ts", ".js", ".py", ".bak", ".orig")  # fmt: skip
"""What is named after a Dockerfile and is none: templates, notes, scripts."""
_FOLLOWED: Final = FILES | {"package.json", "pnpm-workspace.yaml", ".npmrc", ".yarnrc.yml", "bunfig.toml", "turbo.json",
                            ".pnpmfile.cjs", "pnpmfile.cjs", "bun.lockb"}  # fmt: skip


@dataclass
class Build:
    """One image: its Dockerfile and context (paths of the repository), and who states them.

    Attributes:
        context: the folder; ``guessed`` when nothing states it.
        service: the compose service that builds it; ``statement`` the script or workflow; None when neither does.
    """

    path: str
    context: str
    guessed: bool
    target: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    contexts: frozenset[str] = frozenset()
    service: Service | None = None
    statement: Statement | None = None


class Image:
    """What a build does with the workspace."""

    def __init__(self, tree: Tree, repo: Monorepo, build: Build, parsed: Dockerfile) -> None:
        self.tree, self.repo, self.build, self.parsed = tree, repo, build, parsed

    @property
    def name(self) -> str:
        """How people call the image: its service, else the package it builds, else its Dockerfile."""
        if self.build.service is not None:
            return self.build.service.name
        return ", ".join(sorted(self.apps)) if len(self.apps) == 1 else self.build.path

    @cached_property
    def ignore(self) -> Ignore:
        return ignore_of(self.tree, self.build)

    @cached_property
    def prefix(self) -> str:
        return "" if self.build.context == "." else self.build.context + "/"

    def in_context(self, path: str) -> str | None:
        """Return ``path`` relative to the context; None when it lies outside or is ignored."""
        if not path.startswith(self.prefix):
            return None
        relative = path[len(self.prefix) :]
        return None if self.ignore.ignores(relative) else relative

    @cached_property
    def walk(self) -> Walk:
        """The Dockerfile walked with the files that matter."""
        patches = set(self.repo.settings.patches.values())
        root = "" if self.repo.folder == "." else self.repo.folder + "/"
        wanted = [p for p in self.tree.files if p.rpartition("/")[2] in _FOLLOWED or p.removeprefix(root) in patches]
        inside = [relative for path in wanted if (relative := self.in_context(path)) is not None]
        return Walk(self.parsed, inside, self.build.arguments, self._prune)

    def _prune(self, names: list[str], docker: bool) -> list[tuple[str, str]]:
        """Return (path in the output, path in the context) of what ``turbo prune`` writes."""
        kept = self.repo.closure(set(names))
        manifests = [self.repo.by_name[name].path for name in kept] + [self.repo.root.path]
        prefix = "" if self.repo.folder == "." else self.repo.folder + "/"
        top = [f"{prefix}{name}" for name in _FOLLOWED - {"package.json"} if f"{prefix}{name}" in self.tree]
        patches = [f"{prefix}{path}" for path in self.repo.settings.patches.values() if f"{prefix}{path}" in self.tree]
        found = []
        for path in [*manifests, *top, *patches]:
            place, relative = path.removeprefix(prefix), path.removeprefix(self.prefix)
            found += [(f"{layer}{place}", relative) for layer in (("json/", "full/") if docker else ("",))]
        return found

    @cached_property
    def reached(self) -> set[int]:
        """The stages that the target stands on."""
        return self.walk.reach(self.walk.stage(self.build.target) if self.build.target else None)

    @cached_property
    def runs(self) -> list[Run]:
        return [run for run in self.walk.runs if run.stage in self.reached]

    @cached_property
    def installs(self) -> list[Run]:
        return [run for run in self.runs if shell.is_install(run.command)]

    @cached_property
    def filters(self) -> list[tuple[Run, Filter]]:
        return [(run, item) for run in self.runs for item in shell.filters(run.command)]

    @cached_property
    def prunes(self) -> set[str] | None:
        """The members that ``turbo prune`` keeps; None when nothing is pruned."""
        runs = [run for run in self.runs if run.command.program == "turbo" and run.command.words[:1] == ("prune",)]
        names = {item.text for run in runs for item in shell.filters(run.command)}
        known = names & self.repo.by_name.keys()
        return set(self.repo.closure(known)) if known else None

    @cached_property
    def apps(self) -> frozenset[str]:
        """The members that the image is about: named by its commands, else by where its Dockerfile stands."""
        named = {
            name for run, item in self.filters if (name := self._named(item)) and not shell.is_install(run.command)
        }
        if named:
            return frozenset(named)
        named = {name for _, item in self.filters if (name := self._named(item))}
        return frozenset(named or self._by_place() or self.repo.by_name)

    @cached_property
    def is_certain(self) -> bool:
        """Whether something says what the image is about; otherwise it is taken to be about everything."""
        return self.apps != frozenset(self.repo.by_name) or not self.repo.is_workspace

    def _named(self, item: Filter) -> str:
        text = item.text.removesuffix("...").removeprefix("...").removeprefix("^").strip("{}")
        if text in self.repo.by_name:
            return text
        if text.startswith("./") or item.tool == "npm":
            prefix = "" if self.repo.folder == "." else self.repo.folder + "/"
            member = self.repo.members.get(prefix + text.removeprefix("./").rstrip("/"))
            return member.label if member else ""
        same = [name for name in self.repo.by_name if name.rpartition("/")[2] == text]
        return same[0] if len(same) == 1 and item.tool == "pnpm" else ""

    def _by_place(self) -> set[str]:
        if not self.repo.is_workspace:
            return {self.repo.root.label}
        folder = posixpath.dirname(self.build.path)
        while folder:
            if (member := self.repo.members.get(folder)) and member is not self.repo.root:
                return {member.label}
            folder = posixpath.dirname(folder)
        if entered := self._entered(self.runs):
            return entered
        if scripted := self._scripted():
            return scripted
        stages = self._installing()
        copied = {copy.source.strip("./").rstrip("/") for copy in self.walk.copies if copy.stage in stages}
        apps = {member.label for place, member in self.repo.members.items() if place in copied and place != "."}
        return {name for name in apps if not any(name in self.repo.closure({other}) for other in apps - {name})}

    def _installing(self) -> set[int]:
        """The stages that install, and those that start from one of them."""
        found = {run.stage for run in self.installs}
        for layer in self.walk.layers:
            if layer.parent in found or layer.takes & found:
                found.add(layer.index)
        return found

    def _scripted(self) -> set[str]:
        """The members that the root's scripts name when a command of the image runs them."""
        found: set[str] = set()
        pending = [word for run in self.runs if run.command.program in shell.MANAGERS for word in run.command.plain]
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name in seen or name not in self.repo.root.scripts:
                continue
            seen.add(name)
            for command in shell.commands(self.repo.root.scripts[name]):
                found |= {member for item in shell.filters(command) if (member := self._named(item))}
                found |= {member for place in command.options("--cwd", "-C", "--dir", "--prefix")
                          if (member := self._named(Filter("npm", place)))}  # fmt: skip
                pending += command.plain if command.program in shell.MANAGERS and not command.has("--cwd") else []
        return found

    def _entered(self, runs: list[Run]) -> set[str]:
        """The members in whose folders commands run, or where the image ends."""
        places = {run.folder for run in runs} | {self.walk.layers[-1].folder if self.walk.layers else "/"}
        ours = {folder: member for folder, member in self.repo.members.items() if member is not self.repo.root}
        return {member.label for folder, member in ours.items() for place in places if place.endswith("/" + folder)}

    def home(self, run: Run) -> str | None:
        """Return where the workspace root lies when ``run`` starts, with a slash at its end; None when it does not."""
        root, folder = self.repo.root.path.removeprefix(self.prefix), run.folder
        while True:
            place = folder if folder.endswith("/") else folder + "/"
            if run.files.get(f"{place}package.json") == root:
                return place
            if folder == "/":
                return None
            folder = posixpath.dirname(folder)

    def served(self, install: Run) -> frozenset[str]:
        """The members for which ``install`` has to bring something: those that the stages built upon it work on."""
        if len(self.apps) < 2 and self.is_certain:
            return self.apps
        stages = {install.stage}
        for layer in self.walk.layers:
            home = install.folder.strip("/")
            modules = {index for index, path in layer.pulls if "node_modules" in path or path in (home, "")}
            if layer.parent in stages or modules & stages:
                stages.add(layer.index)
        runs = [run for run in self.runs if run.stage in stages]
        named = {name for run in runs for item in shell.filters(run.command) if (name := self._named(item))}
        return frozenset(named or self._entered(runs))

    @cached_property
    def members(self) -> frozenset[str]:
        """The members whose code the image builds or runs: its apps and all they stand on."""
        return self.repo.closure(self.apps)

    @cached_property
    def is_ours(self) -> bool:
        """Whether the image has to do with the workspace at all."""
        return bool(self.installs) or bool(self.filters)


def ignore_of(tree: Tree, build: Build) -> Ignore:
    """Return the ``.dockerignore`` in force for a build."""
    own = f"{build.path}.dockerignore"
    path = own if own in tree else posixpath.normpath(f"{build.context}/.dockerignore")
    return Ignore(tree.text(path)) if path in tree else Ignore()


def is_dockerfile(path: str) -> bool:
    """Return whether ``path`` has the name of a Dockerfile."""
    # Asked of every file: two words rule out nearly all of them without an expression.
    named = "ocker" in path or "ontainerfile" in path
    return named and NAME.search(path) is not None and not path.endswith(_NO_DOCKERFILE)


def parse(tree: Tree, path: str) -> Dockerfile | IkomaError:
    """Return the parsed Dockerfile, or the fault in it."""
    try:
        return dockerfile.parse(tree.text(path), path)
    except IkomaError as error:
        return error


def guess_context(tree: Tree, path: str, parsed: Dockerfile, roots: list[str]) -> str:
    """Return the context under which most of what the Dockerfile copies exists; a workspace root wins a tie."""
    sources = [
        word.removeprefix("./").strip("/")
        for item in parsed.instructions
        if item.keyword in ("COPY", "ADD") and not item.flag("from") and not item.json
        for word in item.words[:-1]
        if "$" not in word and not re.match(r"https?:|<<|git@", word)
    ]
    above = posixpath.dirname(path) or "."
    folders = [*roots, above]
    while above not in (".", ""):
        above = posixpath.dirname(above) or "."
        folders.append(above)
    return max(dict.fromkeys(folders), key=lambda folder: _score(tree, folder, sources))


def _score(tree: Tree, folder: str, sources: list[str]) -> int:
    prefix = "" if folder == "." else folder + "/"
    return sum(1 for source in sources if source not in ("", ".") and _exists(tree, prefix + source))


def _exists(tree: Tree, path: str) -> bool:
    if not re.search(r"[*?\[]", path):
        return tree.exists(path)
    head = re.split(r"[*?\[]", path)[0].rpartition("/")[0]
    matches = globs.regex(path).fullmatch
    return any(matches(item) for item in tree.below(head or "."))
