"""IKB108: one dependency at different versions in one workspace."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.manifests import INSTALLED, Manifest
from bridge.workspace.monorepo import Monorepo

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB108"

Places = list[tuple[Manifest, str]]


def check(facts: Facts) -> Iterable[Finding]:
    for repo in facts.repos:
        for name, spread in sorted(_spread(repo).items()):
            if len(spread) > 1:
                yield _finding(repo, name, spread)


def _spread(repo: Monorepo) -> dict[str, dict[str, Places]]:
    """Name → specifier → where; only what names versions, catalogs count as what they stand for."""
    found: dict[str, dict[str, Places]] = defaultdict(lambda: defaultdict(list))
    for manifest in repo.members.values():
        for section in INSTALLED:
            for name, specifier in manifest.sections[section].items():
                meant = _meant(repo, name, specifier)
                if re.match(r"[\^~>=<v]*\s*\d", meant) and name not in repo.by_name:
                    found[name][meant].append((manifest, section))
    return found


def _meant(repo: Monorepo, name: str, specifier: str) -> str:
    if not specifier.startswith("catalog:"):
        return specifier
    return repo.settings.catalogs.get(specifier.removeprefix("catalog:") or "default", {}).get(name, specifier)


def _finding(repo: Monorepo, name: str, spread: dict[str, Places]) -> Finding:
    ordered = sorted(spread.items(), key=lambda item: (-len(item[1]), item[0]))
    places = ordered[-1][1]
    manifest, section = places[0]
    line, column = manifest.position(section, name)
    listed = ", ".join(f"{specifier} ({_where(entries)})" for specifier, entries in ordered[:4])
    message = f"{name} is declared at {len(spread)} versions: {listed}."
    minors = {match[0] for specifier in spread if (match := re.search(r"\d+(?:\.\d+)?", specifier))}
    severity = Severity.WARNING if len(minors) > 1 else Severity.INFO
    catalog = " or give it one entry in the catalog" if repo.settings.catalogs else ""
    declaring = [member for entries in spread.values() for member, _ in entries]
    return Finding(ID, severity, manifest.path, line, column, message, name, manifest.label,
                   frozenset(member.label for member in declaring), f"Use {ordered[0][0]} everywhere{catalog}.",
                   about=frozenset(member.path for member in declaring))  # fmt: skip


def _where(places: Places) -> str:
    labels = sorted({manifest.label for manifest, _ in places})
    return ", ".join(labels[:2]) + (f" and {len(labels) - 2} more" if len(labels) > 2 else "")


RULE = Rule(
    ID,
    "version-spread",
    Severity.WARNING,
    "D9",
    "Packages of one workspace that use the same dependency at different versions get several copies of it: two "
    "Reacts that do not share context, types that do not fit each other, larger images, and a fix that reaches one "
    "app and not the next. Different major or minor versions are a warning, smaller differences information.",
    check,
)
