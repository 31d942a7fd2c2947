"""IKB904: files that were not looked at, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB904"


def check(facts: Facts) -> Iterable[Finding]:
    skipped = {item.path: item.reason for item in (*facts.imports.skipped, *facts.tree.skipped)}
    for path, reason in sorted(skipped.items()):
        yield Finding(ID, Severity.INFO, path, 1, 1, f"{path} was not looked at: {reason}.", path)


RULE = Rule(
    ID,
    "skipped-file",
    Severity.INFO,
    "",
    "A file was left out of the check: too large to have been written by hand, binary under the name of a source, a "
    "link that leads nowhere, or unreadable. Nothing is skipped without being named.",
    check,
)
