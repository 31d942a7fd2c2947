"""``yarn.lock`` of yarn 1 and of yarn 2 and later (berry)."""

from __future__ import annotations

import re
from typing import Final

from bridge.workspace.lock.model import Lock, Pin

_ENTRY: Final = re.compile(r"^(\S.*):$", re.MULTILINE)
_VERSION: Final = re.compile(r"^  version:? \"?([^\"\n]+)\"?$", re.MULTILINE)
_WORKSPACE: Final = re.compile(r"^(.*)@workspace:(.*)$")
_BLOCK: Final = re.compile(r"^  (dependencies|peerDependencies):\n((?:    .*\n?)*)", re.MULTILINE)
_PAIR: Final = re.compile(r"^    \"?([^\"\s:]+)\"?:? \"?([^\"\n]+?)\"?$", re.MULTILINE)


def read(path: str, text: str) -> Lock:
    """Return the lock file in ``text``; what cannot be read becomes its ``problem``."""
    if (conflict := re.search(r"^<{7}", text, re.MULTILINE)) is not None:
        line = text.count("\n", 0, conflict.start()) + 1
        return Lock(path, "yarn1", problem=("it holds marks of an unfinished merge", line))
    berry = "__metadata:" in text
    entries = _entries(text)
    lock = Lock(path, "berry" if berry else "yarn1")
    if metadata := entries.pop("__metadata", ""):
        lock.version = (_VERSION.search(metadata) or ["", ""])[1]
    requests = {request: block for key, block in entries.items() for request in _requests(key)}
    lock.requests = frozenset(requests)
    lock.find_versions = lambda: _versions(requests)
    if berry:
        lock.importers = _importers(entries)
    return lock


def _entries(text: str) -> dict[str, str]:
    heads = list(_ENTRY.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    return {head[1]: text[head.end() + 1 : end] for head, end in zip(heads, ends, strict=False)}


def _requests(key: str) -> list[str]:
    return [part.strip().strip('"') for part in key.split(",")] if '", "' not in key else _split(key)


def _split(key: str) -> list[str]:
    return [part.strip().strip('"') for part in re.split(r'"?, "?', key.strip('"'))]


def _versions(requests: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for request, block in requests.items():
        name = request[: request.find("@", 1)]
        version = _VERSION.search(block)
        if version and version[1] != "0.0.0-use.local" and version[1] not in found.setdefault(name, []):
            found[name].append(version[1])
    return found


def _importers(entries: dict[str, str]) -> dict[str, dict[str, dict[str, Pin]]]:
    """Berry merges dependencies and devDependencies of a workspace package, and says so under one heading."""
    found = {}
    for key, block in entries.items():
        for request in _requests(key):
            match = _WORKSPACE.match(request)
            if match and not re.fullmatch(r"[*^~]|[\^~]?\d.*", match[2]):
                pairs = {kind: dict(_PAIR.findall(body)) for kind, body in _BLOCK.findall(block)}
                found[match[2]] = {kind: {n: Pin(s) for n, s in names.items()} for kind, names in pairs.items()}
    return found
