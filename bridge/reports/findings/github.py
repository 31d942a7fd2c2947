"""Annotations of a GitHub workflow. GitHub shows ten errors and ten warnings a step: the worst first, all counted."""

from __future__ import annotations

from bridge.checks.engine import Report
from bridge.checks.model import Finding, Severity
from bridge.checks.rules import all_rules

_SHOWN = 10
_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> str:
    """Return workflow commands, and a line that counts what they leave out."""
    lines: list[str] = []
    for severity in sorted(Severity, reverse=True):
        found = [finding for finding in report.findings if finding.severity is severity]
        lines += [_annotation(finding) for finding in found[:_SHOWN]]
    rest = len(report.findings) - len(lines)
    counts = ", ".join(f"{count} {word}" for word, count in report.counts.items())
    more = f"; {rest} not annotated, see the job summary" if rest else ""
    return "\n".join([*lines, f"bridge check: {counts}{more}"])


def summary(report: Report) -> str:
    """Return the whole list as Markdown for the job summary."""
    head = ["## Check", "", ", ".join(f"{count} {word}" for word, count in report.counts.items()), ""]
    if not report.findings:
        return "\n".join([*head, "Nothing found."]) + "\n"
    table = ["| | Rule | Where | What | Fix |", "|---|---|---|---|---|"]
    rows = [
        f"| {finding.severity.word} | {finding.rule} | `{_cell(finding.file)}:{finding.line}` "
        f"| {_cell(finding.message)} | {_cell(finding.fix)} |"
        for finding in report.findings
    ]
    return "\n".join([*head, *table, *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", "<br>")


def _annotation(finding: Finding) -> str:
    title = f"{finding.rule} {all_rules()[finding.rule].name}"
    where = f"file={_property(finding.file)},line={finding.line},col={finding.column},title={_property(title)}"
    text = f"{finding.message} {finding.fix}".strip()
    return f"::{_WORDS[finding.severity]} {where}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
