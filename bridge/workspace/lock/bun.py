"""``bun.lock``, the text format: JSON with trailing commas."""

from __future__ import annotations

from typing import Any, Final

from bridge.workspace import jsontext
from bridge.workspace.lock.model import Graph, Lock, Patch, Pin

_SECTIONS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def read(path: str, text: str) -> Lock:
    """Return the lock file in ``text``; what cannot be read becomes its ``problem``."""
    try:
        value = jsontext.parse(text, lenient=True).value
    except jsontext.Broken as problem:
        return Lock(path, "bun", problem=(problem.reason, problem.line))
    if not isinstance(value, dict) or not isinstance(value.get("workspaces"), dict):
        return Lock(path, "bun", problem=("it lists no workspaces", 1))
    lock = Lock(path, "bun", str(value.get("lockfileVersion", "")))
    lock.settings = {"configVersion": value.get("configVersion", 0)}
    lock.overrides = {str(name): str(item) for name, item in _dict(value.get("overrides")).items()}
    catalogs = {"default": value.get("catalog"), **_dict(value.get("catalogs"))}
    lock.catalogs = {name: _pins(entries) for name, entries in catalogs.items() if entries}
    lock.patched = {str(key): Patch(str(path)) for key, path in _dict(value.get("patchedDependencies")).items()}
    workspaces = value["workspaces"]
    lock.importers = {folder or ".": _sections(_dict(entry)) for folder, entry in workspaces.items()}
    packages = _dict(value.get("packages"))
    folders = {str(_dict(entry).get("name", "")): folder for folder, entry in workspaces.items()}
    lock.find_versions = lambda: _versions(packages)
    lock.find_graph = lambda: _graph(packages, folders)
    return lock


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _pins(entries: Any) -> dict[str, Pin]:
    return {name: Pin(str(specifier)) for name, specifier in _dict(entries).items()}


def _sections(entry: dict[str, Any]) -> dict[str, dict[str, Pin]]:
    return {section: _pins(entry[section]) for section in _SECTIONS if entry.get(section)}


def _versions(packages: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in packages.values():
        if isinstance(entry, list) and entry and isinstance(entry[0], str):
            name, _, version = entry[0].rpartition("@")
            if not version.startswith("workspace:") and version not in found.setdefault(name, []):
                found[name].append(version)
    return found


def _graph(packages: dict[str, Any], folders: dict[str, str]) -> Graph:
    """Bun's keys name packages inside packages (``next/postcss``); bring them to paths as npm has them."""
    needs = {}
    for key, entry in packages.items():
        details = next((item for item in entry if isinstance(item, dict)), {}) if isinstance(entry, list) else {}
        names = [name for section in _SECTIONS for name in _dict(details.get(section))]
        needs[_path(key, folders)] = tuple(names)
    return Graph(frozenset(needs), needs)


def _path(key: str, folders: dict[str, str]) -> str:
    names = _names(key)
    if len(names) > 1 and names[0] in folders:
        return "/".join([folders[names[0]] or ".", *(f"node_modules/{name}" for name in names[1:])]).removeprefix("./")
    return "/".join(f"node_modules/{name}" for name in names)


def _names(key: str) -> list[str]:
    parts, names = key.split("/"), []
    while parts:
        names.append("/".join(parts[:2]) if parts[0].startswith("@") else parts[0])
        parts = parts[2 if parts[0].startswith("@") else 1 :]
    return names
