"""``pnpm-lock.yaml`` of the formats 5 to 9. Only the head is parsed; packages are found by their indentation."""

from __future__ import annotations

import re
from typing import Any, Final

from bridge.workspace import plainyaml
from bridge.workspace.lock.model import Lock, Patch, Pin, Sections

_SECTIONS: Final = ("dependencies", "devDependencies", "optionalDependencies")
_CONFLICT: Final = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)
_PACKAGES: Final = re.compile(r"^(packages|snapshots):", re.MULTILINE)
_KEY: Final = re.compile(r"^  '?/?((?:@[^@/'\s]+/)?[^@/'\s]+)[@/]([^:'(\s]+)", re.MULTILINE)


def read(path: str, text: str) -> Lock:
    """Return the lock file in ``text``; what cannot be read becomes its ``problem``."""
    if (conflict := _CONFLICT.search(text)) is not None:
        line = text.count("\n", 0, conflict.start()) + 1
        return Lock(path, "pnpm", problem=("it holds marks of an unfinished merge", line))
    document = text.rpartition("\n---\n")[2]  # pnpm 11 may put what it needs itself into a document before
    packages = _PACKAGES.search(document)
    head = document[: packages.start()] if packages else document
    try:
        value = plainyaml.load(head)
    except plainyaml.Broken as problem:
        return Lock(path, "pnpm", problem=(problem.reason, problem.line))
    if not isinstance(value, dict) or "lockfileVersion" not in value:
        return Lock(path, "pnpm", problem=("it has no lockfileVersion", 1))
    body = document[packages.start() :] if packages else ""
    lock = Lock(path, "pnpm", str(value["lockfileVersion"]), find_versions=lambda: _versions(body))
    lock.importers = _importers(value)
    lock.catalogs = {str(name): _pins(entries) for name, entries in _dict(value.get("catalogs")).items()}
    lock.overrides = {str(key): str(item) for key, item in _dict(value.get("overrides")).items()}
    lock.patched = {str(key): _patch(entry) for key, entry in _dict(value.get("patchedDependencies")).items()}
    listed = value.get("ignoredOptionalDependencies")
    lock.ignored = frozenset(map(str, listed if isinstance(listed, list) else ())) if lock.version >= "9" else None
    lock.settings = _dict(value.get("settings"))
    return lock


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _patch(entry: Any) -> Patch:
    if not isinstance(entry, dict):
        return Patch("", str(entry))  # pnpm 11 notes the digest alone
    return Patch(str(entry.get("path", "")), str(entry.get("hash", "")))


def _importers(value: dict[str, Any]) -> dict[str, Sections]:
    importers = value.get("importers")
    if isinstance(importers, dict):
        return {str(folder): _sections(_dict(importer)) for folder, importer in importers.items()}
    return {".": _sections(value)}  # one project alone has its sections at the top


def _sections(importer: dict[str, Any]) -> Sections:
    old = _dict(importer.get("specifiers"))  # before format 6 versions and specifiers stood apart
    return {name: _pins(importer.get(name), old) for name in _SECTIONS if importer.get(name)}


def _pins(entries: Any, old: dict[str, Any] | None = None) -> dict[str, Pin]:
    found = {}
    for name, entry in _dict(entries).items():
        if isinstance(entry, dict):
            found[str(name)] = Pin(str(entry.get("specifier", "")), str(entry.get("version", "")))
        else:
            found[str(name)] = Pin(str((old or {}).get(name, "")), str(entry))
    return found


def _versions(body: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, version in _KEY.findall(body):
        known = found.setdefault(name, [])
        if version not in known:
            known.append(version)
    return found
