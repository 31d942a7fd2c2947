"""IKB905: names that differ in upper and lower case alone."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.usage import is_aside
from bridge.workspace import confirm
from bridge.workspace.confirm import Kind

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB905"


def check(facts: Facts) -> Iterable[Finding]:
    by_lower: dict[str, str] = {}
    for path in facts.tree.files:
        other = by_lower.setdefault(path.lower(), path)
        if other != path:
            message = f"{path} and {other} differ in case alone: macOS and Windows keep only one of them."
            yield Finding(ID, Severity.WARNING, path, 1, 1, message, path, fix="Rename one of them.",
                          about=frozenset({other}))  # fmt: skip
    yield from _imports(facts, by_lower)


def _imports(facts: Facts, by_lower: dict[str, str]) -> Iterator[Finding]:
    """Relative imports that only a file system without case would find."""
    folders = {folder.lower() for folder in facts.tree.folders}
    for path, specifiers in facts.imports.files.items():
        for specifier in specifiers:
            if specifier.startswith(".") and facts.graph.local(specifier, path) is None:
                place = posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier.partition("?")[0]))
                if (found := _near(place, by_lower, folders)) and found.lower() != path.lower():
                    yield from _finding(facts, path, specifier, found)


def _near(place: str, by_lower: dict[str, str], folders: set[str]) -> str | None:
    low = place.lower()
    stems = [low, low.removesuffix(".js").removesuffix(".jsx")]
    names = [
        f"{stem}{ending}" for stem in stems for ending in ("", ".ts", ".tsx", ".js", ".jsx", ".css", ".json", ".vue")
    ]
    names += [f"{low}/index{ending}" for ending in (".ts", ".tsx", ".js")] if low in folders else []
    return next((by_lower[name] for name in names if name in by_lower), None)


def _finding(facts: Facts, path: str, specifier: str, found: str) -> Iterator[Finding]:
    code, sites = facts.imports.sites(path)
    wanted = [site for site in sites if site.specifier == specifier]
    for site, kind in zip(wanted, confirm.kinds(path, code, wanted), strict=True):
        if kind is not Kind.NONE:
            line = code.count(b"\n", 0, site.start) + 1
            column = site.start - code.rfind(b"\n", 0, site.start)
            severity = Severity.WARNING if is_aside(path) or not kind.runs else Severity.ERROR
            message = f'"{specifier}" differs from {found} in case: macOS finds it, Linux and so the image does not.'
            yield Finding(ID, severity, path, line, column, message, specifier,
                          fix=f"Write it as {found} has it.", about=frozenset({found}))  # fmt: skip
            return


RULE = Rule(
    ID,
    "letter-case",
    Severity.ERROR,
    "",
    "File systems of macOS and Windows take Button.tsx for button.tsx, Linux does not: an import in the wrong case "
    "works on every laptop and stops the build in the image. Two files whose names differ in case alone cannot both "
    "exist there.",
    check,
)
