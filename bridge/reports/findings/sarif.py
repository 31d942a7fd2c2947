"""SARIF 2.1.0, as code scanning reads it."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from bridge import __version__
from bridge.checks.engine import Report
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.rules import all_rules

_MOST = 5000
"""Code scanning shows no more; the worst stand first."""
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report, category: str = "") -> str:
    """Return one run with all rules and its findings.

    Args:
        category: tells the runs of one commit apart; code scanning keeps one of each.
    """
    rules = list(all_rules().values())
    order = {rule.id: index for index, rule in enumerate(rules)}
    driver = {
        "name": "ikoma-bridge",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }
    results = [_result(finding, order[finding.rule]) for finding in report.findings[:_MOST]]
    run: dict[str, Any] = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    if category:
        run["automationDetails"] = {"id": f"{category}/"}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\npython -m bridge check --explain {rule.id}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = f"{finding.message} {finding.fix}".strip()
    identity = "\0".join((finding.rule, finding.file, finding.package, finding.message))
    place = {
        "artifactLocation": {"uri": quote(finding.file, errors="replace"), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": finding.line, "startColumn": finding.column},
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"ikoma/v1": hashlib.sha256(identity.encode()).hexdigest()[:32]},
    }
