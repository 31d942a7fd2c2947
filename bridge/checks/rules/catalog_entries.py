"""IKB105: catalog: names an entry that no catalog has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.manifests import SECTIONS, Manifest
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB105"


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        for manifest in repo.members.values():
            for section in SECTIONS:
                for name, specifier in manifest.sections[section].items():
                    if specifier.startswith("catalog:") and not _is_known(repo, name, specifier):
                        yield _finding(repo, manifest, section, name, specifier)


def _is_known(repo: Monorepo, name: str, specifier: str) -> bool:
    return name in repo.settings.catalogs.get(specifier.removeprefix("catalog:") or "default", {})


def _finding(repo: Monorepo, manifest: Manifest, section: str, name: str, specifier: str) -> Finding:
    catalog = specifier.removeprefix("catalog:") or "default"
    line, column = manifest.position(section, name)
    message = f"{name} is {specifier} here, and the catalog {catalog} has no such entry: the install stops."
    others = sorted(other for other, entries in repo.settings.catalogs.items() if name in entries)
    names = difflib.get_close_matches(catalog, list(repo.settings.catalogs), 1, 0.6)
    if others:
        fix = f'Write "catalog:{"" if others[0] == "default" else others[0]}", which has it.'
    elif names and catalog not in repo.settings.catalogs:
        fix = f"Write catalog:{names[0]}, or add the catalog {catalog}."
    else:
        fix = f"Add {name} with its version to the catalog {catalog}."
    return Finding(ID, Severity.ERROR, manifest.path, line, column, message, name, manifest.label,
                   frozenset({manifest.label}), fix)  # fmt: skip


RULE = Rule(
    ID,
    "missing-catalog-entry",
    Severity.ERROR,
    "D6",
    "A manifest asks the catalog for a version that the catalog does not have, or for a catalog that does not exist. "
    "Every install stops at the first such entry; this rule names all of them.",
    check,
)
