"""One JSON object: the findings with their reasons, the counts, the time."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from bridge.checks.engine import Report
from bridge.checks.model import Finding
from bridge.checks.rules import all_rules


def data(report: Report) -> dict[str, Any]:
    """Return the documented shape; it only grows."""
    return {
        "findings": [entry(finding) for finding in report.findings],
        "counts": report.counts,
        "seconds": round(report.seconds, 3),
        "files": report.files,
        "silenced": report.silenced,
        "silences": [asdict(silence) for silence in report.facts.accepted],
        "fixed": report.fixed,
    }


def entry(finding: Finding) -> dict[str, Any]:
    """Return one finding as data."""
    rule = all_rules()[finding.rule]
    return {
        "rule": finding.rule,
        "severity": finding.severity.word,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "package": finding.package,
        "app": finding.app,
        "message": finding.message,
        "why": rule.why,
        "fix": finding.fix,
        "row": rule.row,
        "fixable": bool(finding.edits) or bool(finding.relock and not finding.edits),
    }


def render(report: Report) -> str:
    """Return the object as indented JSON."""
    return json.dumps(data(report), ensure_ascii=False, indent=2)
