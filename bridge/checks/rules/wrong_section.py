"""IKB102: a package that runs in production is declared as a devDependency only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks import production
from bridge.checks.fixes import jsonedit
from bridge.checks.model import Edit, Finding, Rule, Severity
from bridge.checks.reach import sources
from bridge.workspace import confirm
from bridge.workspace.builds import Image
from bridge.workspace.manifests import Manifest, package_of

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB102"

_BUNDLERS = re.compile(
    r"\b(?:next|vite|webpack|rollup|esbuild|tsup|tsdown|parcel|rspack|rsbuild|bun build|ncc|nuxt|astro|remix|"
    r"react-router|svelte-kit|turbopack|unbuild|pkgroll|microbundle|nest|craco|react-scripts|rolldown)\b"
)


def check(facts: Facts) -> Iterable[Finding]:
    done: set[str] = set()
    for image in facts.images:
        if _runs_without_dev(image):
            brought = {f"{image.prefix}{path}" for run in image.installs for path in run.files.values()}
            for name in sorted(image.repo.closure(image.apps, ("dependencies", "optionalDependencies"))):
                manifest = image.repo.by_name[name]
                if manifest.path not in brought:
                    continue  # installed by another manifest, as task runners write them
                bundled = _is_bundled(manifest) or _is_compiled_along(facts, image, manifest)
                if manifest.folder not in done and not bundled:
                    done.add(manifest.folder)
                    yield from _manifest(facts, image, manifest)


def _runs_without_dev(image: Image) -> bool:
    """Whether what the final stage runs with was installed without devDependencies."""
    final = image.walk.stage(image.build.target) if image.build.target else len(image.walk.layers) - 1
    if final is None:
        return False
    stages, pending = set[int](), [final]
    while pending:
        if (index := pending.pop()) not in stages:
            stages.add(index)
            layer = image.walk.layers[index]
            pending += [layer.parent] if layer.parent is not None else []
            pending += [source for source, path in layer.pulls if _is_root(image, source, path)]
    installs = [run for run in image.installs if run.stage in stages]
    return bool(installs) and all(production.leaves_out(image, run) for run in installs)


def _is_root(image: Image, stage: int, path: str) -> bool:
    folders = {run.folder.strip("/") for run in image.installs if run.stage == stage}
    return path in folders or path.endswith("node_modules") or path in ("", ".")


def _is_bundled(manifest: Manifest) -> bool:
    texts = " ".join(text for name, text in manifest.scripts.items() if name.startswith(("build", "start")))
    return _BUNDLERS.search(texts) is not None


def _is_compiled_along(facts: Facts, image: Image, manifest: Manifest) -> bool:
    """Whether a package has sources for entries and every app that runs here is bundled: they end up in its file."""
    if manifest.label in image.apps:
        return False
    entries = facts.graph.entries(manifest, manifest.name)
    return (
        all(_is_bundled(image.repo.by_name[name]) for name in image.apps)
        and "build" not in manifest.scripts
        and bool(entries)
        and all(path.endswith((".ts", ".tsx", ".mts")) for path in entries)
    )


def _manifest(facts: Facts, image: Image, manifest: Manifest) -> Iterator[Finding]:
    dev = {name for name in manifest.sections["devDependencies"] if manifest.declared[name] == "devDependencies"}
    dev = {name for name in dev if not name.startswith("@types/") and name not in manifest.sections["peerDependencies"]}
    users: dict[str, list[str]] = defaultdict(list)
    for path in set(sources(facts, manifest)) & facts.reached(image):
        for specifier in facts.imports.files[path]:
            if (name := package_of(specifier)) in dev:
                users[name].append(path)
    for name, paths in sorted(users.items()):
        if (finding := _use(facts, image, manifest, name, paths)) is not None:
            yield finding


def _use(facts: Facts, image: Image, manifest: Manifest, name: str, paths: list[str]) -> Finding | None:
    for path in sorted(paths):
        if re.search(r"\.config\.[cm]?[jt]s$", path):
            continue
        code, found = facts.imports.sites(path)
        sites = [site for site in found if package_of(site.specifier) == name]
        for site, kind in zip(sites, confirm.kinds(path, code, sites), strict=True):
            if kind.runs:
                line = code.count(b"\n", 0, site.start) + 1
                column = site.start - code.rfind(b"\n", 0, site.start)
                return _finding(image, manifest, name, (path, line, column))
    return None


def _finding(image: Image, manifest: Manifest, name: str, place: tuple[str, int, int]) -> Finding:
    specifier = manifest.sections["devDependencies"][name]
    message = (
        f"{name} is imported here and is a devDependency of {manifest.path} only: the image of {image.name} installs "
        f"without devDependencies, and node does not find it when it runs."
    )
    edit = Edit(manifest.path, lambda old: moved(old, name, specifier))
    fix = f'Move "{name}" from devDependencies to dependencies of {manifest.path}.'
    return Finding(ID, Severity.ERROR, *place, message, name, image.name, image.members | {image.name}, fix, (edit,),
                   image.repo.folder)  # fmt: skip


def moved(text: str, name: str, specifier: str) -> str:
    """Return a manifest with ``name`` among its dependencies and no longer among its devDependencies."""
    return jsonedit.remove(jsonedit.set_dependency(text, "dependencies", name, specifier), "devDependencies", name)


RULE = Rule(
    ID,
    "runtime-dev-dependency",
    Severity.ERROR,
    "D4",
    "The image runs with an install that left devDependencies out, and a file that runs there imports one of them. "
    "Packages that a bundler builds into one file are left alone, and so are imports of types.",
    check,
    "moves the entry to dependencies and keeps its version",
)
