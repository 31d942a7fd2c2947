"""Annotations of a GitHub workflow. GitHub shows ten errors and ten warnings a step: the worst first, all counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.checks.engine import Report
from bridge.checks.model import Finding, Severity
from bridge.checks.rules import all_rules
from bridge.reports.text import clean

if TYPE_CHECKING:
    from bridge.reports.github import CheckReport, Run

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


def summary(report: Report, run: Run, lang: str) -> str:
    """Return the list as Markdown for the job summary, in which no foreign word is markup; half the limit at most."""
    from agent.model.names import Target
    from bridge.reports import sections
    from bridge.reports.document import fit
    from bridge.reports.findings import json
    from bridge.reports.github import Story
    from bridge.reports.summary import SUMMARY_LIMIT

    told: CheckReport = json.data(report)  # type: ignore[assignment]
    story = Story(Target("app", "production"), run, check=told)
    return fit(sections.findings(story, sections.Words(lang)), SUMMARY_LIMIT // 2) + "\n"


def _annotation(finding: Finding) -> str:
    title = f"{finding.rule} {all_rules()[finding.rule].name}"
    where = f"file={_property(finding.file)},line={finding.line},col={finding.column},title={_property(title)}"
    text = clean(f"{finding.message} {finding.fix}".strip())
    return f"::{_WORDS[finding.severity]} {where}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
