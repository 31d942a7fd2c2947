"""Every rule finds what it is for, and stays silent about what only looks like it; the cases are data."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.checks import engine, fixing
from bridge.checks.model import Finding, Severity
from bridge.checks.rules import all_rules
from bridge.checks.scope import Scope
from tests.unit import check_cases
from tests.unit.check_cases import Case

CASES = check_cases.load()
BAD = [case for case in CASES if case.kind == "bad"]
QUIET = [case for case in CASES if case.kind in ("good", "decoy")]
REPAIRED = [case for case in BAD if case.repaired]


def matches(finding: Finding, wanted: dict[str, object]) -> bool:
    values = {
        "rule": finding.rule,
        "severity": finding.severity.word,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "package": finding.package,
    }
    text = str(wanted.get("says", ""))
    return all(values[key] == value for key, value in wanted.items() if key != "says") and text in (
        finding.message + finding.fix
    )


def test_the_example_suite_is_clean(tmp_path: Path) -> None:
    report = engine.check(check_cases.copy(tmp_path / "suite"))
    assert report.findings == []


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_fault_is_found_at_its_place(case: Case, tmp_path: Path) -> None:
    report = engine.check(check_cases.build(case, tmp_path / "repo"), Scope(case.app))
    for wanted in case.find:
        assert any(matches(finding, wanted) for finding in report.findings), (
            f"{wanted} is not among {[(f.rule, f.severity.word, f.file, f.line, f.message) for f in report.findings]}"
        )
    loud = [f for f in report.findings if f.rule in case.silent and f.severity > Severity.INFO]
    assert loud == [], f"{[(f.file, f.line, f.message) for f in loud]}"


@pytest.mark.parametrize("case", QUIET, ids=str)
def test_what_only_looks_like_a_fault_stays_silent(case: Case, tmp_path: Path) -> None:
    report = engine.check(check_cases.build(case, tmp_path / "repo"), Scope(case.app))
    loud = [f for f in report.findings if f.rule in (case.rule, *case.silent) and f.severity > Severity.INFO]
    assert loud == [], f"{[(f.file, f.line, f.message) for f in loud]}"
    for wanted in case.find:
        assert any(matches(finding, wanted) for finding in report.findings), wanted


@pytest.mark.parametrize("case", REPAIRED, ids=str)
def test_a_repair_removes_its_finding_and_changes_nothing_the_second_time(case: Case, tmp_path: Path) -> None:
    repo = check_cases.build(case, tmp_path / "repo")
    first = fixing.changes(engine.check(repo))
    assert first, "no edit was proposed"
    for path, (_, new) in first.items():
        (repo / path).write_text(new, encoding="utf-8")
    report = engine.check(repo)
    left = [f for f in report.findings for wanted in case.find if matches(f, wanted)]
    assert left == [], f"{[(f.file, f.line, f.message) for f in left]}"
    assert not {path for path in fixing.changes(report) if path in first}


def test_every_rule_has_bad_cases_and_quiet_ones() -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for case in CASES:
        kinds[case.rule].add(case.kind)
    needs_a_server = "IKB603"  # tests/integration/test_check_database.py has its cases
    for rule in all_rules().keys() - {engine.UNFINISHED, needs_a_server}:
        assert "bad" in kinds[rule], f"{rule} has no bad case"
        assert kinds[rule] & {"good", "decoy"}, f"{rule} has no quiet case"


def test_a_rule_that_fails_is_named_and_costs_only_its_own_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_facts: object) -> list[Finding]:
        raise RuntimeError("nobody foresaw this")

    case = next(case for case in BAD if case.rule == "IKB301")
    rules = {key: replace(rule, check=fails) if key == "IKB101" else rule for key, rule in all_rules().items()}
    monkeypatch.setattr(engine, "all_rules", lambda: rules)
    report = engine.check(check_cases.build(case, tmp_path / "repo"))
    assert {finding.rule for finding in report.findings} == {"IKB301", engine.UNFINISHED}


def test_a_repository_with_nine_faults_lists_all_of_them_in_one_run(tmp_path: Path) -> None:
    nine = next(case for case in CASES if case.kind == "nine")
    repo = check_cases.build(nine, tmp_path / "repo")
    report = engine.check(repo, Scope())
    rows = {all_rules()[finding.rule].row for finding in report.findings}
    assert rows >= {"D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9"}
    for wanted in nine.find:
        assert any(matches(finding, wanted) for finding in report.findings), wanted
