"""Runs the rules over the facts: everything in one pass, sorted, silenced, counted."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bridge.checks import silences
from bridge.checks.examples import softened
from bridge.checks.facts import CONTRACT, Facts
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.rules import all_rules
from bridge.checks.scope import Scope, select
from bridge.workspace import apart, git

UNFINISHED: Final = "IKB900"


@dataclass
class Report:
    """What a run found, the worst first."""

    findings: list[Finding]
    seconds: float
    files: int
    facts: Facts = field(repr=False)
    silenced: int = 0
    fixed: list[str] = field(default_factory=list)

    def from_top(self) -> Report:
        """Return the same with paths that begin at the top of the work tree, where GitHub begins."""
        root = self.facts.root.resolve()
        top = git.top(root) or root
        if top == root:
            return self
        below = root.relative_to(top).as_posix()
        return replace(self, findings=[replace(item, file=f"{below}/{item.file}") for item in self.findings])

    def count(self, severity: Severity) -> int:
        return sum(1 for finding in self.findings if finding.severity is severity)

    @property
    def counts(self) -> dict[str, int]:
        return {severity.word: self.count(severity) for severity in sorted(Severity, reverse=True)}


def check(root: Path, scope: Scope | None = None) -> Report:
    """Check the repository at ``root`` and return everything that was found. Raises ``OSError`` for no folder."""
    began = time.monotonic()
    with _without_collector():
        facts = Facts(root)
        if scope is not None:
            facts.changed, facts.database = scope.changed, scope.database
        findings = [softened(_named(finding, facts), facts) for finding in _found(facts)]
        findings, silenced = silences.apply(findings, facts, CONTRACT)
        findings = select(findings, facts, scope) if scope else findings
        findings = sorted(merged(findings), key=lambda finding: finding.order)
    return Report(findings, time.monotonic() - began, len(facts.tree.files), facts, silenced)


def _found(facts: Facts) -> list[Finding]:
    """Run all rules; where there are many files those that say so in a second process, beside the others."""
    rules = list(all_rules().values())
    aside = [rule for rule in rules if rule.apart and apart.is_worth_it(len(facts.imports.files))]
    later = apart.start(lambda: _all(aside, facts)) if aside else list
    return _all([rule for rule in rules if rule not in aside], facts) + later()


def _all(rules: Iterable[Rule], facts: Facts) -> list[Finding]:
    return [finding for rule in rules for finding in _run(rule, facts)]


def merged(findings: list[Finding]) -> list[Finding]:
    """Return the findings with those that say the same of the same place made one, for all their apps."""
    found: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.severity, finding.file, finding.line, finding.column, finding.message)
        known = found.get(key)
        apps = sorted({finding.app, known.app} - {""}) if known else []
        found[key] = replace(known, app=apps[0] if apps else "", apps=known.apps | finding.apps) if known else finding
    return list(found.values())


def _run(rule: Rule, facts: Facts) -> list[Finding]:
    """Run one rule. A fault inside it is named and costs its findings, never those of the others."""
    found: list[Finding] = []
    try:
        found += rule.check(facts)
    except Exception as fault:
        place = traceback.extract_tb(fault.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        message = (
            f"The rule {rule.id} did not finish ({type(fault).__name__}, reference {where}): what it found is missing."
        )
        found.append(Finding(UNFINISHED, Severity.WARNING, ".", 1, 1, message, rule.id))
    return found


def _named(finding: Finding, facts: Facts) -> Finding:
    if finding.app:
        return finding if finding.apps else replace(finding, apps=frozenset({finding.app}))
    owner = facts.owners.of(finding.file)
    label = owner.label if owner is not None and owner.folder != "." else ""
    return replace(finding, app=label, apps=finding.apps | ({label} if label else frozenset()))


@contextmanager
def _without_collector() -> Iterator[None]:
    """A run makes a hundred thousand objects and keeps them all: looking for garbage among them costs a third."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
