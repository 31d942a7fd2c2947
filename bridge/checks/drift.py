"""All differences between manifests and their lock file, for every format. Pure."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.checks import semver
from bridge.workspace.lock import Lock, Patch, Pin
from bridge.workspace.manifests import SECTIONS, Manifest
from bridge.workspace.monorepo import Monorepo

_PNPM = ("dependencies", "devDependencies", "optionalDependencies")


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: in which file and under which key it shows, and whether a frozen install stops at it."""

    message: str
    path: str = ""
    keys: tuple[str, ...] = ()
    name: str = ""
    line: int = 0
    stops: bool = True


def drifts(repo: Monorepo) -> Iterator[Drift]:
    """Yield every difference. A lock file that does not load is one."""
    lock = repo.lock
    if lock is None:
        return
    if lock.problem is not None:
        yield Drift(f"{lock.path} does not load: {lock.problem[0]}.", lock.path, line=lock.problem[1])
        return
    if repo.root.problem is not None or repo.settings.problems:
        return  # what the members mean stands in what cannot be read
    checker = {"pnpm": _pnpm, "npm": _npm, "bun": _bun, "berry": _berry, "yarn1": _yarn1}[lock.kind]
    yield from checker(repo, lock)


def _pnpm(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    overrides = lock.overrides or {}
    if _plain(repo.settings.overrides, repo) != _plain(overrides, repo) and lock.version >= "6":
        yield from _overrides(repo, lock)
    for folder, manifest in repo.readable.items():
        importer = lock.importers.get(repo.relative(folder))
        if importer is None:
            if any(manifest.sections[section] for section in _PNPM):
                yield Drift(f"{manifest.label} is not in {lock.path}.", manifest.path, ("name",), manifest.label)
            continue
        wanted = _wanted(manifest, lock, overrides)
        listed = {name: pin for section in importer.values() for name, pin in section.items()}
        for name in manifest.sections["optionalDependencies"].keys() & _left_out(repo):
            wanted.pop(name, None)
            listed.pop(name, None)
        peers = set(manifest.sections["peerDependencies"])
        yield from _compare(manifest, lock, wanted, listed, peers)
    for folder in lock.importers.keys() - {repo.relative(folder) for folder in repo.members}:
        if not _gone(repo, folder):
            continue
        yield Drift(f"{lock.path} still lists {folder}, which is no package of the workspace.", lock.path, (folder,),
                    folder, stops=False)  # fmt: skip
    yield from _catalogs(repo, lock)
    yield from _patches(repo, lock)
    yield from _ignored(repo, lock)


def _gone(repo: Monorepo, folder: str) -> bool:
    """Whether the folder of a package that the lock file lists is not there; npm lists folders outside of it too."""
    path = posixpath.normpath(f"{repo.folder}/{folder}/package.json")
    return path not in repo.tree and not path.startswith("..")


def _wanted(manifest: Manifest, lock: Lock, overrides: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return name → (specifier as the lock file has it, section). Later sections give way to stronger ones."""
    found: dict[str, tuple[str, str]] = {}
    sections = ["devDependencies", "dependencies", "optionalDependencies"]
    if str(lock.settings.get("autoInstallPeers", "")).lower() == "true":
        sections.insert(0, "peerDependencies")
    for section in sections:
        for name, specifier in manifest.sections[section].items():
            found[name] = (_overridden(manifest, name, specifier, overrides), section)
    return {name: entry for name, entry in found.items() if entry[0] != "-"}


_SELECTOR = re.compile(r"(?:(.+?[^ |@])>)?((?:@[^/@]+/)?[^@>]+)(?:@(.+))?")


def _overridden(manifest: Manifest, name: str, specifier: str, overrides: dict[str, str]) -> str:
    """Return the specifier that pnpm writes down: an override that fits replaces it."""
    for selector, replacement in overrides.items():
        match = _SELECTOR.fullmatch(selector)
        if match is None or match[2] != name:
            continue
        parent, wanted = match[1], match[3]
        if parent and re.sub(r"(?<=.)@.*", "", parent) != manifest.name:
            continue
        if wanted and not semver.intersects(specifier, wanted):
            continue
        return replacement
    return specifier


def _compare(
    manifest: Manifest, lock: Lock, wanted: dict[str, tuple[str, str]], listed: dict[str, Pin], peers: set[str]
) -> Iterator[Drift]:
    for name, (specifier, section) in wanted.items():
        pin = listed.get(name)
        if pin is None:
            if section != "peerDependencies" and not specifier.startswith(("link:",)):
                yield Drift(
                    f"{name} is in {manifest.path} and not in {lock.path}.", manifest.path, (section, name), name
                )
        elif _normal(pin.specifier) != _normal(specifier) and name not in peers:
            yield Drift(f"{name} is {specifier} in {manifest.path}, and {pin.specifier} in {lock.path}.", manifest.path,
                        (section, name), name)  # fmt: skip
    for name in listed.keys() - wanted.keys() - peers:
        yield Drift(f"{name} is in {lock.path} for {manifest.label}, and no longer in {manifest.path}.", manifest.path,
                    (), name)  # fmt: skip


def _normal(specifier: str) -> str:
    return specifier.strip()


def _plain(overrides: dict[str, str], repo: Monorepo) -> dict[str, str]:
    """Overrides as pnpm records them: ``catalog:`` and ``$name`` are replaced by what they stand for."""
    return {selector: _meant(selector, value, repo) for selector, value in overrides.items()}


def _meant(selector: str, value: str, repo: Monorepo) -> str:
    if value.startswith("catalog:"):
        match = _SELECTOR.fullmatch(selector)
        name = match[2] if match else selector
        return repo.settings.catalogs.get(value.removeprefix("catalog:") or "default", {}).get(name, value)
    return repo.root.specifier(value[1:]) or value if value.startswith("$") else value


def _overrides(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    own, recorded = _plain(repo.settings.overrides, repo), _plain(lock.overrides or {}, repo)
    for selector in sorted(own.keys() | recorded.keys()):
        mine, theirs = own.get(selector), recorded.get(selector)
        if mine != theirs:
            yield Drift(f"The override of {selector} is {mine or 'not set'}, and {theirs or 'not set'} in {lock.path}.",
                        lock.path, (selector,), selector)  # fmt: skip


def _catalogs(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    """Only what is used is recorded; a recorded range has to be the catalog's."""
    for catalog, entries in lock.catalogs.items():
        for name, pin in entries.items():
            own = repo.settings.catalogs.get(catalog, {}).get(name)
            if own is not None and own != pin.specifier:
                path = _catalog_file(repo)
                yield Drift(f"The catalog has {name} {own}, and {lock.path} {pin.specifier}.", path, (name,), name)


def _catalog_file(repo: Monorepo) -> str:
    prefix = "" if repo.folder == "." else repo.folder + "/"
    file = f"{prefix}pnpm-workspace.yaml"
    return file if file in repo.tree else repo.root.path


def _patches(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    if lock.patched is None:
        return
    own = repo.settings.patches
    for key in sorted(own.keys() - lock.patched.keys()):
        yield Drift(f"The patch of {key} is not in {lock.path}.", lock.path, (key,), key)
    for key in sorted(lock.patched.keys() - own.keys()):
        yield Drift(f"{lock.path} has a patch of {key} that nothing states any more.", lock.path, (key,), key)
    for key in sorted(own.keys() & lock.patched.keys()):
        if reason := _other_patch(repo, own[key], lock.patched[key]):
            message = f"The patch of {key} is {own[key]}, {reason} {lock.path} was written."
            yield Drift(message, lock.path, (key,), key, stops=lock.kind == "pnpm")


def _other_patch(repo: Monorepo, path: str, recorded: Patch) -> str:
    """How a patch differs from the recorded one: by its path, or by a digest of the one sort that is known."""
    if recorded.path and posixpath.normpath(recorded.path) != posixpath.normpath(path):
        return f"and was {recorded.path} when"
    file = posixpath.normpath(f"{repo.folder}/{path}")
    if file not in repo.tree or not re.fullmatch(r"[0-9a-f]{64}", recorded.digest):
        return ""  # before pnpm 10 it is a sum of another sort
    digest = hashlib.sha256(repo.tree.read(file).replace(b"\r\n", b"\n")).hexdigest()
    return "" if digest == recorded.digest else "whose content has changed since"


def _ignored(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    own = _left_out(repo)
    for name in sorted(own ^ (lock.ignored or set())) if lock.ignored is not None else ():
        where = f"and not in {lock.path}" if name in own else f"in {lock.path} alone"
        message = f"{name} is left out by ignoredOptionalDependencies, {where}."
        yield Drift(message, lock.path, ("ignoredOptionalDependencies",), name)


def _left_out(repo: Monorepo) -> set[str]:
    """What pnpm is told to leave out: by the workspace file, else by the root manifest."""
    pnpm = repo.root.data.get("pnpm")
    stated = pnpm.get("ignoredOptionalDependencies") if isinstance(pnpm, dict) else None
    return set(repo.settings.words("ignoredOptionalDependencies") or (stated if isinstance(stated, list) else ()))


def _npm(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    if lock.version == "1":
        return
    for folder, manifest in repo.readable.items():
        importer = lock.importers.get(repo.relative(folder))
        if importer is None:
            yield Drift(f"{manifest.label} is not in {lock.path}.", manifest.path, ("name",), manifest.label)
            continue
        yield from _sections(repo, manifest, lock, importer)
    yield from _flat(repo, lock)
    for folder in lock.importers.keys() - {repo.relative(folder) for folder in repo.members}:
        if _gone(repo, folder):
            yield Drift(f"{lock.path} still lists {folder}, which is no package of the workspace.", lock.path,
                        (f'"{folder}"',), folder, stops=False)  # fmt: skip


def _sections(repo: Monorepo, manifest: Manifest, lock: Lock, importer: dict[str, dict[str, Pin]]) -> Iterator[Drift]:
    """Formats that copy the sections as they are: npm's and bun's. Both go on where what is locked fits."""
    shadowed = manifest.sections["optionalDependencies"]
    for section in SECTIONS:
        listed = importer.get(section, {})
        for name, specifier in manifest.sections[section].items():
            if section != "optionalDependencies" and name in shadowed:
                continue
            if name not in listed:
                if not any(name in other for other in importer.values()):
                    message = f"{name} is in {manifest.path} and not in {lock.path}"
                    yield _unless_kept(repo, lock, message, manifest, section, name)
            elif _normal(listed[name].specifier) != _normal(specifier):
                message = f"{name} is {specifier} in {manifest.path}, and {listed[name].specifier} in {lock.path}"
                yield _unless_kept(repo, lock, message, manifest, section, name)
    declared = {name for section in SECTIONS for name in manifest.sections[section]}
    for name in sorted({name for entries in importer.values() for name in entries} - declared):
        yield Drift(f"{name} is in {lock.path} for {manifest.label}, and no longer in {manifest.path}.", manifest.path,
                    (), name, stops=lock.kind == "bun")  # fmt: skip


def _unless_kept(repo: Monorepo, lock: Lock, message: str, manifest: Manifest, section: str, name: str) -> Drift:
    """npm ci and a frozen bun compare versions, not ranges: what is locked and still fits is installed."""
    kept = _kept(repo, lock, name, manifest.sections[section][name]) or section == "peerDependencies"
    ending = ": the install takes what is locked, for that still fits." if kept else "."
    return Drift(message + ending, manifest.path, (section, name), name, stops=not kept)


def _kept(repo: Monorepo, lock: Lock, name: str, specifier: str) -> bool:
    member = repo.by_name.get(name)
    if member is not None:
        if member.problem is not None:
            return True
        plain = specifier.startswith("workspace:") or specifier in ("*", "")
        return plain or semver.satisfies(str(member.data.get("version", "0.0.0")), specifier) is True
    return any(semver.satisfies(version, specifier) for version in lock.versions.get(name, ()))


def _flat(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    """npm does not record its overrides: they show in the versions alone."""
    for name, value in repo.settings.flat.items():
        wanted = repo.root.specifier(value[1:]) if value.startswith("$") else value
        versions = lock.versions.get(name, [])
        if versions and semver.ranges(wanted) and not any(semver.satisfies(item, wanted) for item in versions):
            message = f"{repo.root.path} overrides {name} with {value}, and {lock.path} has {', '.join(versions)}."
            yield Drift(message, repo.root.path, ("overrides", name), name)


def _bun(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    for folder, manifest in repo.readable.items():
        importer = lock.importers.get(repo.relative(folder))
        if importer is not None:
            yield from _sections(repo, manifest, lock, importer)
        elif any(manifest.sections.values()):
            yield Drift(f"{manifest.label} is not in {lock.path}.", manifest.path, ("name",), manifest.label)
    yield from _catalogs(repo, lock)
    yield from _patches(repo, lock)
    # bun reads resolutions only where there are no overrides
    own, recorded = repo.settings.flat or repo.settings.overrides, lock.overrides or {}
    for name in sorted(own.keys() | recorded.keys()):
        if own.get(name) != recorded.get(name):
            yield Drift(f"The override of {name} is {own.get(name, 'not set')}, and "
                        f"{recorded.get(name, 'not set')} in {lock.path}.", lock.path, (name,), name)  # fmt: skip


def _berry(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    for folder, manifest in repo.readable.items():
        importer = lock.importers.get(repo.relative(folder))
        if importer is None:
            yield Drift(f"{manifest.label} is not in {lock.path}.", manifest.path, ("name",), manifest.label)
            continue
        listed = {name: Pin(_bare(pin.specifier)) for name, pin in importer.get("dependencies", {}).items()}
        merged = {name: (_bare(manifest.sections[s][name]), s) for s in ("devDependencies", "optionalDependencies",
                  "dependencies") for name in manifest.sections[s]}  # fmt: skip
        wanted = {name: (_as_listed(repo, name, spec, listed), s) for name, (spec, s) in merged.items()}
        yield from _compare(manifest, lock, wanted, listed, set())
    yield from _yarn_catalogs(repo, lock)
    yield from _yarn_patches(repo, lock)
    for name, value in repo.settings.overrides.items():
        plain = re.fullmatch(r"(?:@[^/@]+/)?[^/@*]+", name) is not None and ":" not in value
        requested = {f"{name}@{value}", f"{name}@npm:{value}"}
        if plain and name in lock.versions and not requested & lock.requests:
            message = f"{repo.root.path} resolves {name} to {value}, and {lock.path} does not."
            yield Drift(message, repo.root.path, ("resolutions", name), name)


def _yarn_catalogs(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    """Yarn notes ``catalog:`` itself for a package, and locks what the catalog makes of it."""
    for manifest in repo.readable.values():
        for section in _PNPM:
            for name, specifier in manifest.sections[section].items():
                catalog = specifier.removeprefix("catalog:") or "default"
                wanted = repo.settings.catalogs.get(catalog, {}).get(name) if specifier.startswith("catalog:") else None
                locked = {f"{name}@npm:{wanted}", f"{name}@{wanted}"} & lock.requests
                if wanted is not None and not locked and not _is_resolved(repo, name):
                    message = f"The catalog has {name} {wanted}, and {lock.path} does not."
                    yield Drift(message, manifest.path, (section, name), name)


def _is_resolved(repo: Monorepo, name: str) -> bool:
    """Whether a resolution puts another range, or a patch, in the place of what is asked for."""
    return any(key == name or key.startswith(f"{name}@") for key in repo.settings.overrides)


def _yarn_patches(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    for selector, value in repo.settings.overrides.items():
        name = selector[: selector.find("@", 1)] if "@" in selector[1:] else selector
        file = value.partition("#")[2].rpartition("/")[2].partition("::")[0]
        known = any(item.startswith(f"{name}@patch:") and file in item for item in lock.requests)
        if value.startswith("patch:") and name in lock.versions and not known:
            yield Drift(f"The patch of {name} is not in {lock.path}.", repo.root.path, ("resolutions", selector), name)


def _as_listed(repo: Monorepo, name: str, specifier: str, listed: dict[str, Pin]) -> str:
    """Yarn 2 and 3 note what a resolution makes of a range, others the range itself: both are right."""
    other = _bare(repo.settings.overrides.get(name, specifier))
    return other if name in listed and listed[name].specifier == other else specifier


def _bare(specifier: str) -> str:
    return specifier.removeprefix("npm:") if re.match(r"npm:[^@]*$", specifier) else specifier


def _yarn1(repo: Monorepo, lock: Lock) -> Iterator[Drift]:
    for manifest in repo.readable.values():
        for section in _PNPM:
            for name, specifier in manifest.sections[section].items():
                local = name in repo.by_name or specifier.startswith(("link:", "file:", "portal:"))
                wanted = repo.settings.overrides.get(name, specifier)
                if not local and not {f"{name}@{specifier}", f"{name}@{wanted}"} & lock.requests:
                    yield Drift(f"{name}@{specifier} is in {manifest.path} and not in {lock.path}.", manifest.path,
                                (section, name), name)  # fmt: skip
