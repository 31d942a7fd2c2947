"""IKB902: a silence that silences nothing. The engine finds them, for it knows what all other rules found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB902"


def check(facts: Facts) -> Iterable[Finding]:  # noqa: ARG001 - see bridge.checks.silences
    return ()


RULE = Rule(
    ID,
    "stale-silence",
    Severity.WARNING,
    "",
    "The contract accepts a finding, with a reason, that no longer exists: the fault was repaired, the file was "
    "moved, or the rule has another name. A silence that nobody removes hides the next fault of its kind.",
    check,
    "removes it from the contract",
)
