"""IKB202: what an install needs is not in the image when it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from bridge.checks import reach
from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.builds import Image
from bridge.workspace.layers import Run
from bridge.workspace.manifests import INSTALLED, Manifest, package_of

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB202"

_RECORDED: Final = frozenset({
    "catalog", "catalogs", "overrides", "patchedDependencies", "packageExtensions", "ignoredOptionalDependencies",
    "pnpmfile", "autoInstallPeers", "excludeLinksFromLockfile", "injectWorkspacePackages", "nodeLinker",
})  # fmt: skip
"""What pnpm compares with the lock file, or lays packages out by: without it the install stops or differs."""


def check(facts: Facts) -> Iterable[Finding]:
    for image in facts.images:
        for run in image.installs:
            if not run.opaque:
                yield from _install(facts, image, run)


def _install(facts: Facts, image: Image, run: Run) -> Iterator[Finding]:
    home = image.home(run)
    if home is None:
        yield from _rootless(facts, image, run)
        return
    apps = image.served(run)
    missing = {member for member in _needed(image, run, apps, INSTALLED) if f"{home}{member}" not in run.files}
    firm = _felt(facts, image, run, apps) if missing else set()
    for severity, paths in ((Severity.ERROR, missing & firm), (Severity.WARNING, missing - firm)):
        if paths:
            yield _manifests(facts, image, run, sorted(posixpath.dirname(path) for path in paths), severity)
    yield from _beside(facts, image, run, home)


def _needed(image: Image, run: Run, apps: frozenset[str], sections: tuple[str, ...]) -> list[str]:
    """Return the manifests, relative to the root, of the packages that ``apps`` stand on."""
    production = _is_production(run)
    return _paths(
        image, image.repo.closure(apps, tuple(s for s in sections if s != "devDependencies" or not production))
    )


def _felt(facts: Facts, image: Image, run: Run, apps: frozenset[str]) -> set[str]:
    """Return those of them without which the build fails.

    The devDependencies of a package count where it is built itself, a package that stands on nothing loses nothing, and
    neither does a bundler that meets no more than a package's types. yarn and bun stop at any that is not there.
    """
    repo = image.repo
    firm = _firm(image, apps, _is_production(run))
    if repo.manager.name in ("pnpm", "npm"):
        firm = {name for name in firm if name in apps or not _is_bare(facts, image, repo.by_name[name])}
        if all(_is_only_bundled(repo.by_name[name]) for name in apps if name in repo.by_name):
            firm &= (
                apps | {name for name in firm if reach.is_built(image, repo.by_name[name])} | reach.run(facts, image)
            )
    return set(_paths(image, firm))


def _paths(image: Image, names: Iterable[str]) -> list[str]:
    repo = image.repo
    prefix = "" if repo.folder == "." else repo.folder + "/"
    return [
        repo.by_name[name].path.removeprefix(prefix) for name in sorted(names) if repo.by_name[name] is not repo.root
    ]


_COMPILERS: Final = re.compile(r"\b(?:next|tsc|vue-tsc|nest|ng|svelte-check|turbo|nx|lerna|pnpm|npm|yarn)\b")


def _is_only_bundled(manifest: Manifest) -> bool:
    """Whether the build of a package looks at no types: a bundler alone, behind scripts that set variables."""
    text = manifest.scripts.get("build", "")
    words = re.sub(r"\b(?:pnpm|npm run|yarn) (?:run )?with-env\b", "", text)
    return bool(text) and _COMPILERS.search(words) is None


def _firm(image: Image, apps: frozenset[str], production: bool) -> set[str]:
    repo, seen, pending = image.repo, set[str](), list(apps)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            works = name in apps or reach.is_built(image, repo.by_name[name])
            dev = ("devDependencies",) if works and not production else ()
            pending += repo.links(repo.by_name[name], ("dependencies", *dev))
    return seen


def _is_bare(facts: Facts, image: Image, manifest: Manifest) -> bool:
    """pnpm and npm link a package whose manifest comes later: one that needs nothing of its own is then whole."""
    if any(manifest.sections[name] for name in ("dependencies", "optionalDependencies")):
        return False
    dev = manifest.sections["devDependencies"]
    if not dev or reach.is_built(image, manifest):
        return not dev
    found = (package_of(item) for path in reach.sources(facts, manifest) for item in facts.imports.files[path])
    return not any(name in dev for name in found)


def _is_production(run: Run) -> bool:
    return run.command.has("--prod", "-P", "--production") or "dev" in run.command.options("--omit")


def _manifests(facts: Facts, image: Image, run: Run, folders: list[str], severity: Severity) -> Finding:
    many = len(folders) > 1
    listed = ", ".join(folders[:6]) + (f" and {len(folders) - 6} more" if len(folders) > 6 else "")
    tolerant = run.command.program in ("pnpm", "npm")
    then = f"it exits 0 and leaves {'them' if many else 'it'} without dependencies" if tolerant else "it stops"
    message = (
        f"The package.json of {listed} {'are' if many else 'is'} not in the image when {_words(run)} runs: {then}."
    )
    prefix = "" if image.repo.folder in (".", image.build.context) else image.repo.folder + "/"
    lines = [f"COPY {prefix}{folder}/package.json {prefix}{folder}/" for folder in folders]
    return _finding(facts, image, run, severity, message, "Add before it:\n" + "\n".join(lines), folders[0])


def _words(run: Run) -> str:
    return " ".join((run.command.program, *run.command.words[:1]))


def _finding(
    facts: Facts, image: Image, run: Run, severity: Severity, message: str, fix: str, package: str = ""
) -> Finding:
    line, column = facts.line_of(image.build.path, run.command.program, run.line, run.end)
    return Finding(ID, severity, image.build.path, line, column, message, package, image.name,
                   image.members | {image.name}, fix)  # fmt: skip


def _rootless(facts: Facts, image: Image, run: Run) -> Iterator[Finding]:
    """The install runs without the workspace root: fatal for what names other packages of the workspace."""
    here = run.files.get(f"{run.folder.rstrip('/')}/package.json")
    if here is None or not image.repo.is_workspace:
        return
    manifest = facts.manifests.get(posixpath.dirname(f"{image.prefix}{here}") or ".")
    if manifest is None or manifest.folder not in image.repo.members:
        return
    links = sorted(image.repo.links(manifest))
    if links:
        message = (
            f"{_words(run)} runs without the workspace root, and {manifest.path} names {', '.join(links[:4])} of it."
        )
        fix = f"Build from {image.repo.folder}, and copy the root's package.json, lock file and workspace file first."
        yield _finding(facts, image, run, Severity.ERROR, message, fix, manifest.label)


def _beside(facts: Facts, image: Image, run: Run, home: str) -> Iterator[Finding]:
    """The lock file, the workspace file, settings and patches."""
    repo, files = image.repo, run.files
    prefix = "" if repo.folder == "." else repo.folder + "/"
    names = [] if repo.lock is None else [repo.lock.path.removeprefix(prefix)]
    if repo.manager.name == "pnpm" and f"{prefix}pnpm-workspace.yaml" in facts.tree:
        names.append("pnpm-workspace.yaml")
    names += sorted(set(repo.settings.patches.values()))
    for name in names:
        if f"{prefix}{name}" in facts.tree and f"{home}{name}" not in files and not _removed(image, name):
            frozen = run.command.has("--frozen-lockfile", "ci", "clean-install", "--immutable")
            is_lock = repo.lock is not None and name == repo.lock.path.removeprefix(prefix)
            spared = (is_lock and not frozen) or (name == "pnpm-workspace.yaml" and _says_nothing(image))
            severity = Severity.WARNING if spared else Severity.ERROR
            message = f"{name} is not in the image when {_words(run)} runs{_consequence(is_lock, frozen)}."
            target = f"{posixpath.dirname(name)}/" if posixpath.dirname(name) else "./"
            yield _finding(facts, image, run, severity, message, f"Add before it:\nCOPY {prefix}{name} {target}", name)
    if f"{prefix}.npmrc" in facts.tree and f"{home}.npmrc" not in files and repo.manager.name in ("pnpm", "npm"):
        message = f".npmrc is not in the image when {_words(run)} runs: it installs with other settings than here."
        yield _finding(
            facts, image, run, Severity.WARNING, message, f"Add before it:\nCOPY {prefix}.npmrc ./", ".npmrc"
        )


def _says_nothing(image: Image) -> bool:
    """Whether the workspace file names no packages and nothing that the lock file records."""
    return len(image.repo.members) == 1 and not image.repo.settings.filed & _RECORDED


def _removed(image: Image, name: str) -> bool:
    """Whether the Dockerfile removes it on purpose."""
    return any(other.command.program == "rm" and name in other.command.words for other in image.runs)


def _consequence(is_lock: bool, frozen: bool) -> str:
    if not is_lock:
        return ""
    return ": a frozen install refuses to work without it" if frozen else ": every build installs other versions"


RULE = Rule(
    ID,
    "manifest-not-copied",
    Severity.ERROR,
    "D3",
    "A Dockerfile copies manifests first so that the install is cached. Every workspace package that the app stands on "
    "needs its package.json there, and the install the lock file, the workspace file and the patches. The install does "
    "not fail when a manifest is missing (pnpm and npm exit 0 and leave a dangling link): the build fails later with "
    "“cannot find module”. Copies by pattern, bind mounts, other stages and the layout of turbo prune all count, and "
    ".dockerignore is taken into account.",
    check,
)
