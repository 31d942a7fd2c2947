"""IKB110: files import each other in a circle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

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


def check(facts: Facts) -> Iterable[Finding]:
    edges = {path: _targets(facts, path) for path in facts.imports.files if path.endswith(SCRIPTS)}
    suspects = {path for group in cycles.components(edges) for path in group if not is_aside(path)}
    real = {path: _confirmed(facts, path, suspects) for path in sorted(suspects)}
    for group in cycles.components(real):
        yield _finding(facts, real, group)


def _targets(facts: Facts, path: str) -> list[str]:
    found = (facts.graph.local(item, path) for item in facts.imports.files[path] if item[0] in ".#@~$" or "/" in item)
    return [target for target in found if target and target != path]


def _confirmed(facts: Facts, path: str, suspects: set[str]) -> list[str]:
    """The imports that are there when the program runs: types, and what is loaded later, close no circle."""
    code, sites = facts.imports.sites(path)
    inside = [(site, target) for site in sites if (target := facts.graph.local(site.specifier, path)) in suspects]
    kinds = confirm.kinds(path, code, [site for site, _ in inside])
    return sorted({str(target) for (_, target), kind in zip(inside, kinds, strict=True) if kind in _COUNTED} - {path})


def _finding(facts: Facts, edges: dict[str, list[str]], group: list[str]) -> Finding:
    way = cycles.shortest(edges, group[0], set(group))
    code, sites = facts.imports.sites(way[0])
    site = next(site for site in sites if facts.graph.local(site.specifier, way[0]) == way[1])
    line = code.count(b"\n", 0, site.start) + 1
    column = site.start - code.rfind(b"\n", 0, site.start)
    shown = " → ".join(way) if len(way) < 8 else " → ".join([*way[:4], "…", *way[-3:]])
    rest = f" ({len(group)} files hang together)" if len(group) > len(way) - 1 else ""
    message = f"Files import each other in a circle: {shown}{rest}."
    fix = "Move what both need into a third file, or import types only (import type)."
    return Finding(ID, Severity.WARNING, way[0], line, column, message, way[1], fix=fix)


RULE = Rule(
    ID,
    "file-cycle",
    Severity.WARNING,
    "D9",
    "When files import each other in a circle, one of them runs before what it imports is there: a class or "
    "constant is undefined, depending on which file a bundler or a test happens to load first. Imports of types and "
    "dynamic imports close no circle and are left out.",
    check,
)
