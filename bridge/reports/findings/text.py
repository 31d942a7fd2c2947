"""For people: grouped by app, each finding with its place, the line of code, the reason and the fix."""

from __future__ import annotations

import unicodedata
from itertools import groupby

from bridge.checks.engine import Report
from bridge.checks.model import Finding, Severity
from bridge.checks.rules import all_rules
from bridge.reports.text import clean

_SHOWN = 10
"""Information of one rule in one group beyond which only the number is said."""


def render(report: Report) -> str:
    """Return the whole text; the last line counts."""
    groups = groupby(sorted(report.findings, key=lambda f: (f.app == "", f.app, f.order)), key=lambda f: f.app)
    parts = [_group(app, list(findings), report) for app, findings in groups]
    return "\n\n".join([*parts, "\n".join([*_silenced(report), _closing(report)])])


def _group(app: str, findings: list[Finding], report: Report) -> str:
    blocks: list[str] = []
    for _, same in groupby(sorted(findings, key=lambda f: (-f.severity, f.rule)), key=lambda f: (f.severity, f.rule)):
        listed = list(same)
        shown = listed if listed[0].severity > Severity.INFO else listed[:_SHOWN]
        blocks += [_block(finding, report, first=index == 0) for index, finding in enumerate(shown)]
        if len(shown) < len(listed):
            blocks.append(f"  … and {len(listed) - len(shown)} more of {listed[0].rule}; --format json has them all")
    return "\n".join([clean(app or "the repository"), *blocks])


def _block(finding: Finding, report: Report, first: bool) -> str:
    rule = all_rules()[finding.rule]
    row = f" ({rule.row})" if rule.row else ""
    lines = [f"  {finding.severity.word} {rule.id}{row} {_place(finding)}", f"    {clean(finding.message)}"]
    if finding.severity > Severity.INFO:
        lines += [f"    {line}" for line in _frame(finding, report)]
        if first:
            lines.append(f"    why: {_first_sentence(rule.why)} More: python -m bridge check --explain {rule.id}")
    if finding.fix:
        head, *rest = finding.fix.splitlines()
        lines += [f"    fix: {clean(head)}", *(f"         {clean(line)}" for line in rest)]
    return "\n".join(lines)


def _place(finding: Finding) -> str:
    return clean(f"{finding.file}:{finding.line}:{finding.column}")


def _first_sentence(text: str) -> str:
    head, dot, _ = text.partition(". ")
    return head + (dot.strip() or "")


def _frame(finding: Finding, report: Report) -> list[str]:
    """The line of code with a mark under the column; nothing for a line that is not there or too long."""
    lines = report.facts.tree.text(finding.file).splitlines() if finding.file in report.facts.tree else []
    if not 0 < finding.line <= len(lines):
        return []
    code = lines[finding.line - 1].replace("\t", " ")
    if len(code) > 160:
        return []
    number = str(finding.line)
    pad = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in code[: finding.column - 1])
    return [f"{number} | {clean(code)}", f"{' ' * len(number)} | {' ' * pad}^"]


def _silenced(report: Report) -> list[str]:
    accepted = report.facts.accepted
    return [clean(f"silenced: {item.rule} {item.path} ({item.findings}): {item.reason}") for item in accepted]


def _closing(report: Report) -> str:
    counts = [f"{report.count(severity)} {severity.word}{'s' if severity else ''}" for severity in reversed(Severity)]
    silenced = f", {report.silenced} silenced" if report.silenced else ""
    return f"{', '.join(counts)}{silenced} in {report.files} files, {report.seconds:.2f} s"
