"""IKB900: a rule did not finish. The engine says so; nothing else would."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB900"


def check(facts: Facts) -> Iterable[Finding]:  # noqa: ARG001 - see bridge.checks.engine
    return ()


RULE = Rule(
    ID,
    "rule-did-not-finish",
    Severity.WARNING,
    "",
    "A rule met something in the repository that nobody foresaw and stopped. All other rules ran; what this one "
    "would have found is missing. Report it with its reference.",
    check,
)
