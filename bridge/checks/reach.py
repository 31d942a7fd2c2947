"""The files that an image's build looks at: its apps, what they import, and packages that are built as own tasks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bridge.checks.usage import is_aside
from bridge.workspace import confirm
from bridge.workspace.builds import Image
from bridge.workspace.manifests import SECTIONS, Manifest, package_of
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

_TASKS = ("turbo", "nx", "lerna")


def reached(facts: Facts, image: Image) -> frozenset[str]:
    """Return the source files that the build of ``image`` needs: a superset where an import cannot be followed."""
    repo = image.repo
    apps = _tops(repo, image.apps)
    pending = [path for name in apps if name in repo.by_name for path in sources(facts, repo.by_name[name])]
    for name in image.members - apps:
        if name in image.apps or is_built(image, repo.by_name[name]):
            pending += _compiled(facts, repo.by_name[name])
    return _followed(facts, repo, pending)


def run(facts: Facts, image: Image) -> frozenset[str]:
    """Return the members whose code the build of ``image`` takes in, not counting what is imported as a type alone."""
    repo = image.repo
    pending = [path for name in image.apps if name in repo.by_name for path in _alive(facts, repo.by_name[name])]
    seen: set[str] = set()
    found: set[str] = set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        specifiers = set(facts.imports.files.get(path, ()))
        away = {item for item in specifiers if package_of(item) in repo.by_name or _leaves(facts, item, path)}
        taken = away - _typed(facts, path, away)
        found |= {name for item in taken if (name := package_of(item)) and _is_linked(facts, repo, name, path)}
        for specifier in taken | (specifiers - away):
            pending += _targets(facts, repo, specifier, path)
    return frozenset(found)


def _leaves(facts: Facts, specifier: str, path: str) -> bool:
    """Whether a relative import leads into another package."""
    if not specifier.startswith("../"):
        return False
    target = facts.graph.local(specifier, path)
    return target is not None and facts.owners.of(target) is not facts.owners.of(path)


def _is_linked(facts: Facts, repo: Monorepo, name: str, path: str) -> bool:
    """Whether ``name`` is the member of that name for the package that holds ``path``, and not the registry's."""
    owner = facts.owners.of(path)
    return owner is None or name not in owner.declared or owner.name == name or name in repo.links(owner, SECTIONS)


_USED: Final = re.compile(r"(?:^|/)(?:utils?|lib|libs|helpers?|hooks|components?|services?|constants|types|shared)/")


def _alive(facts: Facts, manifest: Manifest) -> list[str]:
    """The sources of an app without those that lie where others would import them, and nothing does."""
    found = sources(facts, manifest)
    if "nuxt" in manifest.declared:  # it imports what lies in such folders by itself
        return found
    used = {facts.graph.local(item, path) for path in found for item in facts.imports.files[path]}
    return [path for path in found if path in used or not _USED.search(path[len(manifest.folder) :])]


def _typed(facts: Facts, path: str, names: set[str]) -> set[str]:
    """Those of ``names`` that ``path`` imports as types alone."""
    if not names:
        return set()
    code, found = facts.imports.sites(path)
    sites = [site for site in found if site.specifier in names]
    kinds = confirm.kinds(path, code, sites)
    return names - {site.specifier for site, kind in zip(sites, kinds, strict=True) if kind.runs}


def built(facts: Facts, repo: Monorepo) -> frozenset[str]:
    """Return what a build of all packages looks at."""
    return _followed(facts, repo, [path for member in repo.by_name.values() for path in _compiled(facts, member)])


def _followed(facts: Facts, repo: Monorepo, pending: list[str]) -> frozenset[str]:
    seen: set[str] = set()
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            for specifier in facts.imports.files.get(path, ()):
                pending += _targets(facts, repo, specifier, path)
    return frozenset(seen)


def _tops(repo: Monorepo, apps: frozenset[str]) -> frozenset[str]:
    """Of what is built, the packages that nothing else of it stands on: the others are entered by imports."""
    used = {link for name in apps if name in repo.by_name for link in repo.links(repo.by_name[name]) - {name}}
    return frozenset(apps - used) or apps


def _compiled(facts: Facts, manifest: Manifest) -> list[str]:
    """What a package's own build looks at: its sources, or its entries where it is written as it is run."""
    found = sources(facts, manifest)
    typed = [path for path in found if not path.endswith((".js", ".cjs", ".mjs"))]
    return [*typed, *facts.graph.entries(manifest, manifest.name)] if typed else found


def sources(facts: Facts, manifest: Manifest) -> list[str]:
    """Return the files of a package that are built: no tests, no tool settings, no file of a package inside it."""
    prefix = "" if manifest.folder == "." else manifest.folder + "/"
    return [
        path
        for path in facts.tree.below(manifest.folder)
        if path in facts.imports.files
        and facts.owners.of(path) is manifest
        and not is_aside(path[len(prefix) :])
        and not _is_loose(facts, path[len(prefix) :], manifest)
    ]


_STARTED: Final = frozenset({
    "index", "main", "server", "app", "cli", "start", "run", "worker", "middleware", "proxy", "instrumentation",
    "instrumentation-client", "entry", "bootstrap", "register", "preload", "setup", "handler", "lambda",
})  # fmt: skip


def _is_loose(facts: Facts, relative: str, manifest: Manifest) -> bool:
    """Whether a file is settings that nothing loads: JavaScript beside package.json that nothing there names.

    TypeScript is compiled wherever it lies, a ``*.config.js`` is found by its tool, and what is imported is followed.
    """
    stem, dot, extension = relative.partition(".")
    if "/" in relative or extension not in ("js", "cjs", "mjs") or not dot or stem in _STARTED:
        return False
    texts = (manifest.text, *facts.command_texts)
    return not any(word in text for word in (relative, f"./{stem}", f"node {stem}") for text in texts)


def is_built(image: Image, manifest: Manifest) -> bool:
    """Whether the image runs the package's own build: through a task runner, or for everything that an app needs."""
    if "build" not in manifest.scripts:
        return False
    for run in image.runs:
        command = run.command
        if command.program in _TASKS and command.words[:1] != ("prune",):
            return True
        if (
            command.program == "pnpm"
            and (command.has("-r", "--recursive") or any("..." in word for word in command.words))
            and not command.has("install", "i", "deploy", "fetch")
        ):
            return True
        if (
            manifest.label in command.words
            or manifest.folder in " ".join((run.folder, *command.words)).split("/app/")[-1]
        ):
            return True
    return any(_runs_tasks(image, name) for name in image.apps)


def _runs_tasks(image: Image, name: str) -> bool:
    """Whether an app's own scripts start a task runner."""
    manifest = image.repo.by_name.get(name)
    scripts = {**image.repo.root.scripts, **(manifest.scripts if manifest else {})}
    used = {word for run in image.runs for word in run.command.words}
    return any(task in scripts.get(word, "") for word in used for task in _TASKS)


def _targets(facts: Facts, repo: Monorepo, specifier: str, path: str) -> list[str]:
    if specifier.startswith((".", "#")) or (local := facts.graph.local(specifier, path)) is not None:
        found = facts.graph.local(specifier, path) if specifier.startswith((".", "#")) else local
        return [found] if found else []
    member = repo.by_name.get(package_of(specifier))
    if member is None or not _is_linked(facts, repo, member.name, path):
        return []
    entries = facts.graph.entries(member, specifier)
    return list(entries) if entries else sources(facts, member)
