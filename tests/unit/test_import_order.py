"""Threads that import the same library at once: a part's lock is taken before its package's, so order decides."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
CIRCULAR = ("fabric", "invoke", "paramiko")  # packages whose parts need the package, and the other way round
SOURCES = sorted(path for part in ("agent", "bridge") for path in (CHECKOUT / part).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what a file imports while it runs: line and module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def test_names_are_taken_from_the_package_and_paramiko_comes_before_fabric() -> None:
    """One thread that imports ``invoke.config`` while another imports ``invoke`` breaks both, now and then."""
    for path in SOURCES:
        found = list(imported(path))
        parts = [(line, name) for line, name in found if name.startswith(tuple(f"{one}." for one in CIRCULAR))]
        assert parts == [], path
        first = {name: line for line, name in sorted(found, reverse=True)}
        assert "fabric" not in first or first.get("paramiko", first["fabric"]) < first["fabric"], path
