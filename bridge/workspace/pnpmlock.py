"""The part of a ``pnpm-lock.yaml`` on which some of a workspace's packages stand. Pure.

The file is cut by its indentation, which pnpm writes always alike, instead of being parsed: a megabyte takes
milliseconds. What is not recognised is kept, so that a part is never too small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = re.compile(r"^lockfileVersion:\s*'?(\d+)\.", re.MULTILINE)
_SECTION = re.compile(r"^(\S[^:\n]*):", re.MULTILINE)
_ENTRY = re.compile(r"^  (?:'((?:[^']|'')+)'|([^\s'#][^\n]*?)):(?=\s|$)", re.MULTILINE)
_FIELD = re.compile(r"^    (\w+):[ \t]*$", re.MULTILINE)
_PAIR = re.compile(r"^      (?:'([^']+)'|(\S+?)): (?:'([^']+)'|(\S.*))$", re.MULTILINE)
_NAMED = re.compile(
    r"^      (?:'([^']+)'|(\S+?)):\s*\n(?:        .*\n)*?        version: (?:'([^']+)'|(\S.*))$", re.MULTILINE
)
_NEEDED = ("dependencies", "devDependencies", "optionalDependencies")


def part(text: str, folders: Iterable[str]) -> str | None:
    """Return what of the lock file concerns the packages in ``folders``, and everything that concerns all.

    Returns None when the file is of a version not known here, does not list one of the folders, or refers to
    something that was not found: then the whole file counts.
    """
    version = _VERSION.search(text)
    if version is None or version[1] != "9":
        return None
    sections = _blocks(text, _SECTION)
    importers = _blocks(sections.get("importers", ""), _ENTRY)
    wanted = set(folders)
    if not wanted <= importers.keys():
        return None
    snapshots = _blocks(sections.get("snapshots", ""), _ENTRY)
    packages = _blocks(sections.get("packages", ""), _ENTRY)
    reached = _reach([key for folder in wanted for key in _roots(importers[folder])], snapshots)
    if reached is None:
        return None
    kept = [block for name, block in sections.items() if name not in ("importers", "packages", "snapshots")]
    kept += [importers[folder] for folder in sorted(wanted)]
    kept += [snapshots[key] for key in sorted(reached)]
    kept += [packages[key] for key in sorted({key.partition("(")[0] for key in reached}) if key in packages]
    return "\n".join(block.rstrip() for block in kept)


def _blocks(text: str, head: re.Pattern[str]) -> dict[str, str]:
    """Cut ``text`` at each ``head``; the key is what the head names."""
    starts = list(head.finditer(text))
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return {_first(match): text[match.start() : end] for match, end in zip(starts, ends, strict=False)}


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None).replace("''", "'")


def _roots(importer: str) -> list[str]:
    """Return the snapshot keys an importer names; links to other packages of the workspace name none."""
    pairs = [(match[1] or match[2], match[3] or match[4]) for match in _NAMED.finditer(importer)]
    return [_key(name, version) for name, version in pairs if not version.startswith("link:")]


def _reach(roots: list[str], snapshots: dict[str, str]) -> set[str] | None:
    seen: set[str] = set()
    pending = list(roots)
    while pending:
        key = pending.pop()
        if key not in snapshots:
            return None
        if key not in seen:
            seen.add(key)
            pending += _needs(snapshots[key])
    return seen


def _needs(snapshot: str) -> list[str]:
    found = []
    for name, block in _blocks(snapshot, _FIELD).items():
        if name in _NEEDED:
            found += [_key(m[1] or m[2], m[3] or m[4]) for m in _PAIR.finditer(block)]
    return found


def _key(name: str, version: str) -> str:
    """Return the key of a snapshot; an alias or an address names it by itself."""
    return version if "@" in version.partition("(")[0].lstrip("@") else f"{name}@{version}"
