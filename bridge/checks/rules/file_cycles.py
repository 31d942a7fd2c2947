"""IKB110: files import each other in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from bridge.checks import cycles
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.usage import is_aside
from bridge.workspace import confirm
from bridge.workspace.confirm import Kind
from bridge.workspace.imports import SCRIPTS

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB110"

_COUNTED = (Kind.VALUE, Kind.REQUIRE)
_TANGLE: Final = 25
"""Files in one knot beyond which one circle of it is shown, and not every file of it parsed."""


def check(facts: Facts) -> Iterable[Finding]:
    edges = {path: _targets(facts, path) for path in facts.imports.files if path.endswith(SCRIPTS)}
    suspects = {path for group in cycles.components(edges) for path in group if not is_aside(path)}
    likely = {path: _likely(facts, path, suspects) for path in sorted(suspects)}
    groups = cycles.components(likely)
    small = {path for group in groups if len(group) <= _TANGLE for path in group}
    real = {path: _confirmed(facts, path, small) for path in sorted(small)}
    for group in cycles.components(real):
        yield _finding(facts, cycles.shortest(real, group[0], set(group)), len(group))
    for group in groups:
        if len(group) > _TANGLE:
            yield from _tangle(facts, {path: likely[path] for path in group})


def _tangle(facts: Facts, edges: dict[str, list[str]]) -> Iterable[Finding]:
    """One circle of many files that hang together: only the files on a way are parsed, until a way proves real."""
    known: set[str] = set()
    inside = set(edges)
    while groups := cycles.components(edges):
        group = groups[0]
        way = cycles.shortest(edges, group[0], set(group))
        if known.issuperset(way):
            yield _finding(facts, way, len(group))
            return
        for path in set(way) - known:
            edges[path] = _confirmed(facts, path, inside)
        known.update(way)


def _targets(facts: Facts, path: str) -> list[str]:
    found = (facts.graph.local(item, path) for item in facts.imports.files[path] if item[0] in ".#@~$" or "/" in item)
    return [target for target in found if target and target != path]


_LATER: Final = re.compile(rb"(?:import|export)\s+type\b(?!\s*(?:,|from\b))[^;]*\Z|\bimport\s*\([^)]*\Z", re.DOTALL)


def _likely(facts: Facts, path: str, suspects: set[str]) -> list[str]:
    """The imports that are neither of types nor dynamic by the look of their words: cheaper than a parser."""
    code, sites = facts.imports.sites(path)
    found = set()
    for site in sites:
        target = facts.graph.local(site.specifier, path)
        if target in suspects and target != path:
            before = code[max(0, site.start - 2000) : site.start]
            if _LATER.search(before, max(before.rfind(b"import"), before.rfind(b"export"), 0)) is None:
                found.add(target)
    return sorted(str(target) for target in found)


def _confirmed(facts: Facts, path: str, suspects: set[str]) -> list[str]:
    """The imports that are there when the program runs: types, and what is loaded later, close no circle."""
    code, sites = facts.imports.sites(path)
    inside = [(site, target) for site in sites if (target := facts.graph.local(site.specifier, path)) in suspects]
    kinds = confirm.kinds(path, code, [site for site, _ in inside])
    return sorted({str(target) for (_, target), kind in zip(inside, kinds, strict=True) if kind in _COUNTED} - {path})


def _finding(facts: Facts, way: list[str], size: int) -> Finding:
    code, sites = facts.imports.sites(way[0])
    site = next(site for site in sites if facts.graph.local(site.specifier, way[0]) == way[1])
    line = code.count(b"\n", 0, site.start) + 1
    column = site.start - code.rfind(b"\n", 0, site.start)
    shown = " → ".join(way) if len(way) < 8 else " → ".join([*way[:4], "…", *way[-3:]])
    rest = f" ({size} files hang together)" if size > len(way) - 1 else ""
    message = f"Files import each other in a circle: {shown}{rest}."
    fix = "Move what both need into a third file, or import types only (import type)."
    return Finding(ID, Severity.WARNING, way[0], line, column, message, way[1], fix=fix,
                   about=frozenset(way))  # fmt: skip


RULE = Rule(
    ID,
    "file-cycle",
    Severity.WARNING,
    "D9",
    "When files import each other in a circle, one of them runs before what it imports is there: a class or "
    "constant is undefined, depending on which file a bundler or a test happens to load first. Imports of types and "
    "dynamic imports close no circle and are left out.",
    check,
    apart=True,
)
