"""IKB109: packages of the workspace depend on each other in a circle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks import cycles
from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB109"

_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        edges = {name: sorted(repo.links(member, _SECTIONS) - {name}) for name, member in repo.by_name.items()}
        for group in cycles.components(edges):
            way = cycles.shortest(edges, group[0], set(group))
            manifest = repo.by_name[way[0]]
            section = next(s for s in _SECTIONS if way[1] in manifest.sections[s])
            line, column = manifest.position(section, way[1])
            message = f"Packages depend on each other in a circle: {' → '.join(way)}."
            fix = "Move what both need into a third package, or drop the dependency that is not needed."
            yield Finding(ID, Severity.WARNING, manifest.path, line, column, message, way[1], way[0], frozenset(group),
                          fix, about=frozenset(repo.by_name[name].path for name in way))  # fmt: skip


RULE = Rule(
    ID,
    "package-cycle",
    Severity.WARNING,
    "D9",
    "Packages that depend on each other have no order in which they can be built: task runners refuse such a graph or "
    "build one of them against the old output of the other, and a change to one rebuilds all of them.",
    check,
)
