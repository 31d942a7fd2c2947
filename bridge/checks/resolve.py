"""Whether a package that nobody declared is found all the same: by the layout that an install leaves. Pure."""

from __future__ import annotations

from enum import Enum

from bridge.workspace import shell
from bridge.workspace.builds import Image
from bridge.workspace.layers import Run
from bridge.workspace.lock import Lock
from bridge.workspace.manifests import INSTALLED, Manifest
from bridge.workspace.monorepo import Monorepo
from bridge.workspace.shell import Command


class Found(Enum):
    """How Node finds a package; ``UNKNOWN`` when nothing recorded says so."""

    OWN = "own"
    ROOT = "root"
    HOISTED = "hoisted"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"


def whole(repo: Monorepo, manifest: Manifest, name: str) -> Found:
    """Return how ``name`` is found from ``manifest`` after an install of the whole workspace."""
    if name in manifest.declared:
        return Found.OWN
    if (above := _above(repo, manifest, name)) is not None:
        return above
    return _hoisted(repo, manifest, name)


def in_image(repo: Monorepo, manifest: Manifest, name: str, image: Image) -> Found:
    """Return how ``name`` is found from ``manifest`` inside ``image``, which may install less than everything."""
    found = whole(repo, manifest, name)
    if found in (Found.OWN, Found.NOWHERE, Found.UNKNOWN):
        return found
    installed = installs(repo, image)
    if installed is None:
        return found
    if found is Found.ROOT and (repo.root.label in installed or image.prunes is not None):
        return found
    if found is Found.ROOT and not _only_filtered(image):
        return found
    return found if name in _reached(repo, manifest, name, installed) else Found.NOWHERE


def installs(repo: Monorepo, image: Image) -> frozenset[str] | None:
    """Return the members that an image installs for; None when it installs for all."""
    if image.prunes is not None:
        return frozenset({*image.prunes, repo.root.label})
    if not image.installs or any(not _filters(run.command) for run in image.installs):
        return None
    parts = [named(repo, run.command) for run in image.installs]
    return None if any(part is None for part in parts) else frozenset().union(*(part or () for part in parts))


def named(repo: Monorepo, command: Command) -> frozenset[str] | None:
    """Return the members that the filters of an install name; None where one of them is not understood."""
    names: set[str] = set()
    for text in _filters(command):
        closed = text.endswith("...") or repo.manager.name != "pnpm"
        name = text.removesuffix("...").removesuffix("^").strip("{}")
        if name not in repo.by_name:
            return None
        names |= repo.closure({name}) if closed else {name}
    return frozenset(names)


def sees(image: Image, run: Run, manifest: Manifest) -> bool:
    """Return whether a frozen install compares ``manifest`` with the lock file: it is there, and not filtered out."""
    repo, command = image.repo, run.command
    home = image.home(run)
    by_other = command.program != repo.manager.name or (repo.lock is not None and repo.lock.kind == "yarn1")
    if home is None or run.opaque or by_other or not _is_frozen(run):  # yarn 1 does not compare the members of a root
        return False
    relative = manifest.path.removeprefix("" if repo.folder == "." else repo.folder + "/")
    if run.files.get(f"{home}{relative}") != manifest.path.removeprefix(image.prefix):
        return False
    return command.program == "npm" or not _filters(command) or manifest.label in (named(repo, command) or ())


def _is_frozen(run: Run) -> bool:
    """Whether an install stops at a difference: told to, or by pnpm and yarn themselves where CI is set."""
    command = run.command
    if command.has("--frozen-lockfile=false", "--no-frozen-lockfile", "--no-immutable"):
        return False
    told = command.has("--frozen-lockfile", "--frozen-lockfile=true", "--immutable", "ci", "clean-install")
    return told or (command.program in ("pnpm", "yarn") and run.values.get("CI", "").lower() in ("1", "true"))


def _filters(command: Command) -> list[str]:
    return [item.text for item in shell.filters(command)]


def _only_filtered(image: Image) -> bool:
    return bool(image.installs) and image.repo.manager.name == "pnpm"


def _above(repo: Monorepo, manifest: Manifest, name: str) -> Found | None:
    """A package above, the root at last, that declares it: Node walks up."""
    if repo.manager.linker == "pnp":
        return None
    folder = manifest.folder
    while folder != "." and folder != repo.folder:
        folder = folder.rpartition("/")[0] or "."
        above = repo.members.get(folder)
        if above is not None and any(name in above.sections[section] for section in INSTALLED):
            return Found.ROOT
    return None


def _hoisted(repo: Monorepo, manifest: Manifest, name: str) -> Found:
    manager, lock = repo.manager, repo.lock
    if manager.linker in ("isolated", "pnp"):
        if repo.hoisted is not None and repo.hoisted.fullmatch(name) and name in repo.known:
            return Found.HOISTED
        return Found.NOWHERE
    if name in repo.by_name and repo.is_workspace and manager.name != "pnpm":
        return Found.HOISTED  # npm, yarn and bun link every member at the top
    if lock is None or lock.problem is not None:
        return Found.HOISTED if name in repo.known else Found.UNKNOWN
    if lock.graph is not None:
        return Found.HOISTED if lock.graph.locate(name, repo.relative(manifest.folder)) else Found.NOWHERE
    return Found.HOISTED if name in lock.versions or name in repo.known else Found.NOWHERE


def _reached(repo: Monorepo, manifest: Manifest, name: str, installed: frozenset[str]) -> set[str]:
    """Return ``{name}`` when an install of these members brings it where ``manifest`` finds it, else nothing."""
    lock = repo.lock
    if name in repo.by_name:
        return {name} if name in installed else set()
    declared = {
        n for item in installed if item in repo.by_name for s in INSTALLED for n in repo.by_name[item].sections[s]
    }
    if name in declared or lock is None:
        return {name}
    return {name} if _in_graph(repo, lock, manifest, name, installed) else set()


def _in_graph(repo: Monorepo, lock: Lock, manifest: Manifest, name: str, installed: frozenset[str]) -> bool:
    if lock.graph is None:
        return True  # the format does not say what stands on what: in doubt it is found
    starts = []
    for item in installed:
        if member := repo.by_name.get(item):
            folder = repo.relative(member.folder)
            starts += [(folder, entry) for section in INSTALLED for entry in member.sections[section]]
    key = lock.graph.locate(name, repo.relative(manifest.folder))
    return key is not None and key in lock.graph.reach(starts)
