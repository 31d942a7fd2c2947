"""Findings that the contract accepts, with a reason; and acceptances that accept nothing any more."""

from __future__ import annotations

import fnmatch
from collections import Counter
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from bridge.checks.fixes import jsonedit
from bridge.checks.model import Accepted, Edit, Finding, Severity
from bridge.checks.rules import all_rules
from bridge.workspace import jsontext

if TYPE_CHECKING:
    from agent.model.contract import Silence
    from bridge.checks.facts import Facts

STALE = "IKB902"
_NEVER = frozenset({STALE, "IKB901"})
"""What cannot be silenced: the contract's own faults."""


def apply(findings: list[Finding], facts: Facts, contract_file: str) -> tuple[list[Finding], int]:
    """Return the findings that are left, stale silences among them, and how many were silenced; note by what."""
    contract = facts.contract
    if contract is None or isinstance(contract, IkomaError) or not contract.silence:
        return findings, 0
    used: Counter[int] = Counter()
    kept = []
    for finding in findings:
        by = [index for index, silence in enumerate(contract.silence) if _covers(silence, finding)]
        used.update(by)
        if not by:
            kept.append(finding)
    stale = [
        _stale(facts, contract_file, index, silence)
        for index, silence in enumerate(contract.silence)
        if index not in used
    ]
    facts.accepted = [
        Accepted(silence.rule, silence.path, silence.reason, used[index])
        for index, silence in enumerate(contract.silence)
        if index in used
    ]
    return kept + stale, len(findings) - len(kept)


def _covers(silence: Silence, finding: Finding) -> bool:
    if finding.rule in _NEVER:
        return False
    named = silence.rule.upper() == finding.rule or silence.rule == all_rules()[finding.rule].name
    pattern = silence.path.removeprefix("./")
    inside = finding.file.startswith(pattern.rstrip("/") + "/")
    return named and (pattern == "*" or inside or fnmatch.fnmatchcase(finding.file, pattern))


def _stale(facts: Facts, file: str, index: int, silence: Silence) -> Finding:
    text = facts.tree.text(file)
    line, column = jsontext.parse(text).position("silence", index)
    known = {rule.id for rule in all_rules().values()} | {rule.name for rule in all_rules().values()}
    why = "finds nothing there" if silence.rule in known or silence.rule.upper() in known else "does not exist"
    message = f"The silence of {silence.rule} for {silence.path} is stale: the rule {why}."
    edit = Edit(file, lambda old: jsonedit.remove_item(old, "silence", silence.rule, silence.path))
    return Finding(STALE, Severity.WARNING, file, line, column, message, silence.rule, fix="Remove it.", edits=(edit,))
