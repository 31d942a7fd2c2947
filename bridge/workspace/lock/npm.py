"""``package-lock.json`` and ``npm-shrinkwrap.json`` of the formats 2 and 3."""

from __future__ import annotations

import json
from typing import Any, Final

from bridge.workspace.lock.model import Graph, Lock, Pin, Sections

_SECTIONS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def read(path: str, text: str) -> Lock:
    """Return the lock file in ``text``; what cannot be read becomes its ``problem``."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        merge = "<<<<<<<" in text
        return Lock(
            path, "npm", problem=("it holds marks of an unfinished merge" if merge else error.msg, error.lineno)
        )
    except RecursionError:
        return Lock(path, "npm", problem=("nested too deeply", 1))
    if not isinstance(value, dict) or "lockfileVersion" not in value:
        return Lock(path, "npm", problem=("it has no lockfileVersion", 1))
    version = str(value["lockfileVersion"])
    packages = value.get("packages")
    if not isinstance(packages, dict):
        return Lock(path, "npm", version, problem=None if version == "1" else ("it lists no packages", 1))
    entries = {key: entry for key, entry in packages.items() if isinstance(entry, dict)}
    lock = Lock(path, "npm", version)
    lock.find_versions = lambda: _versions(entries)
    lock.find_graph = lambda: _graph(entries)
    own = {key: entry for key, entry in entries.items() if "node_modules/" not in f"/{key}"}
    lock.importers = {key or ".": _sections(entry) for key, entry in own.items()}
    return lock


def _sections(entry: dict[str, Any]) -> Sections:
    found = {}
    for section in _SECTIONS:
        if isinstance(listed := entry.get(section), dict):
            found[section] = {name: Pin(str(specifier)) for name, specifier in listed.items()}
    return found


def _name(key: str) -> str:
    return key.rpartition("node_modules/")[2]


def _versions(entries: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, entry in entries.items():
        if "node_modules/" in key and not entry.get("link"):
            known = found.setdefault(_name(key), [])
            if (version := str(entry.get("version", ""))) not in known:
                known.append(version)
    return found


def _graph(entries: dict[str, dict[str, Any]]) -> Graph:
    needs = {}
    for key, entry in entries.items():
        real = entries.get(str(entry.get("resolved", "")), entry) if entry.get("link") else entry
        sections = _SECTIONS[0], _SECTIONS[2], _SECTIONS[3]
        needs[key] = tuple(name for section in sections for name in real.get(section) or ())
    return Graph(frozenset(entries), needs)
