"""What people and programs get to see of a check, and with which exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.model.errors import Exit
from bridge.checks import engine, scope
from bridge.checks.rules import all_rules
from bridge.commands import edge
from bridge.reports import findings
from bridge.reports.findings import github, sarif
from bridge.reports.github import Run
from tests.unit import check_cases
from tests.unit.check_cases import ROOT

NINE = next(case for case in check_cases.load() if case.kind == "nine")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return check_cases.build(NINE, tmp_path_factory.mktemp("check") / "repo")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command as a terminal does, and return exit code, stdout and stderr."""
    from bridge.cli import PROGRAM, app

    arguments = ["check", *words]
    code = edge.run(lambda: app(arguments, prog_name=PROGRAM, standalone_mode=False), arguments)
    caught = capsys.readouterr()
    return int(code), caught.out, caught.err


def test_a_clean_repository_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--repo", str(check_cases.copy(tmp_path / "suite")))
    assert code == Exit.DONE
    assert out.startswith("0 errors, 0 warnings, 0 info in ")


def test_errors_end_with_1_and_stand_with_place_frame_reason_and_fix(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "--repo", str(broken))
    assert code == Exit.FAILED
    assert "error IKB101 (D1) apps/website/src/main.ts:3:27" in out
    assert '3 | import { S3Client } from "@aws-sdk/client-s3";' in out
    assert "why: A file imports a package" in out
    assert "fix: Run: pnpm add @aws-sdk/client-s3 --filter @suite/website" in out


def test_json_is_the_documented_object(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--repo", str(broken), "--json")
    report = json.loads(out)
    assert code == Exit.FAILED
    assert report["counts"]["error"] >= 9
    assert report["seconds"] > 0
    keys = {"rule", "severity", "file", "line", "column", "package", "app", "message", "why", "fix", "row"}
    assert all(keys <= finding.keys() for finding in report["findings"])
    again = json.loads(run(capsys, "--repo", str(broken), "--format", "json")[1])
    assert again["findings"] == report["findings"]


def test_annotations_show_the_worst_ten_of_a_kind_and_count_the_rest(broken: Path) -> None:
    report = engine.check(broken)
    lines = github.render(report).splitlines()
    assert 0 < sum(line.startswith("::error ") for line in lines) <= 10
    assert sum(line.startswith("::warning ") for line in lines) <= 10
    assert lines[0].startswith("::error file=")
    assert lines[-1].startswith("bridge check: ")
    assert len(github.summary(report, Run(), "en").splitlines()) >= len(report.findings)


def test_no_word_of_a_finding_is_markup_in_the_summary_of_a_job(broken: Path) -> None:
    report = engine.check(broken)
    hostile = "</details><img src=x> [x](https://evil.example) @everyone `"
    report.findings[0] = replace(report.findings[0], message=hostile, file=f"a`{hostile[:40]}", fix="| a\n## b")
    told = github.summary(report, Run(), "en")
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", told)
    for markup in ("<img", "</details", "](https://evil", "@everyone", "\n## b"):
        assert markup not in outside


def test_an_annotation_cannot_be_broken_out_of() -> None:
    assert github._data("a\n::error::b%") == "a%0A::error::b%25"
    assert github._property("a,b:c") == "a%2Cb%3Ac"


def test_sarif_has_the_shape_that_code_scanning_reads(broken: Path) -> None:
    document = json.loads(sarif.render(engine.check(broken)))
    run_ = document["runs"][0]
    rules = run_["tool"]["driver"]["rules"]
    assert document["version"] == "2.1.0"
    assert {rule["id"] for rule in rules} == set(all_rules())
    for result in run_["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        assert result["level"] in ("error", "warning", "note")


def test_strict_counts_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    (repo / ".dockerignore").unlink()
    assert run(capsys, "--repo", str(repo))[0] == Exit.DONE
    assert run(capsys, "--repo", str(repo), "--strict")[0] == Exit.FAILED


def test_what_is_silenced_is_told_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    (repo / ".dockerignore").unlink()
    contract = json.loads((repo / "ikoma.release.json").read_text())
    silence = {"rule": "IKB204", "path": "*", "reason": "Small enough\x1b[31m."}
    (repo / "ikoma.release.json").write_text(json.dumps(contract | {"silence": [silence]}))
    _, out, _ = run(capsys, "--repo", str(repo))
    assert re.search(r"^silenced: IKB204 \* \(\d+\): Small enough\.$", out, re.MULTILINE)
    report = json.loads(run(capsys, "--repo", str(repo), "--json")[1])
    (told,) = report["silences"]
    assert told == silence | {"findings": report["silenced"]}
    assert report["silenced"] > 0


@pytest.mark.parametrize("rule", sorted(all_rules()))
def test_every_rule_explains_itself(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--explain", rule)
    assert code == Exit.DONE
    assert out.startswith(f"{rule} {all_rules()[rule].name}")
    assert len(all_rules()[rule].why) > 80


@pytest.mark.parametrize("form", [["--json"], ["--format", "json"], ["--format=json"]], ids=" ".join)
def test_a_rule_explains_itself_to_machines(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--explain", "undeclared-import", *form)
    rule = all_rules()["IKB101"]
    known = {"rule": "IKB101", "name": rule.name, "severity": "error", "row": "D1"}
    assert (code, json.loads(out)) == (Exit.DONE, {**known, "explanation": rule.why, "fix": rule.fixes})


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
@pytest.mark.parametrize("joined", [False, True])
def test_what_is_printed_for_machines_stands_alone_on_stdout(
    form: str, joined: bool, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [f"--format={form}"] if joined else ["--format", form]
    _, out, err = run(capsys, "--repo", str(broken), "--fix", "--dry-run", *asked)
    assert "+++ b/docker-compose.yml" in err
    if form == "github":
        assert all(line.startswith(("::", "bridge check: ")) for line in out.splitlines())
    else:
        assert json.loads(out)


@pytest.mark.parametrize("form", [["--json"], ["--format", "json"], ["--format=json"], ["--json", "--format", "sarif"],
                                  ["--format", "text", "--format", "json"]], ids=" ".join)  # fmt: skip
def test_a_failure_is_one_object_where_json_was_asked_for(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--repo", "/does/not/exist", *form)
    assert (code, json.loads(out)["error"]["id"]) == (Exit.MISUSE, "check.no_folder")
    assert "/does/not/exist is no folder" in err


@pytest.mark.parametrize("form", ["sarif", "github", "text"])
def test_a_failure_leaves_stdout_empty_where_its_form_knows_none(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--repo", "/does/not/exist", "--format", "json", "--format", form)
    assert (code, out) == (Exit.MISUSE, "")
    assert "/does/not/exist is no folder" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--explain", "IKB999"], "There is no rule IKB999"),
        (["--format", "xml"], "xml is no format"),
        (["--repo", "/does/not/exist"], "/does/not/exist is no folder"),
        (["--dry-run"], "--dry-run shows what --fix would change"),
        (["--app", "webpage"], "No image and no package"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_wrong_use_ends_with_2_and_names_the_remedy(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    code, _, err = run(capsys, *([] if "--repo" in words else ["--repo", str(repo)]), *words)
    assert code == Exit.MISUSE
    assert says in err


def test_an_app_sees_what_its_image_needs_and_nothing_else(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--repo", str(broken), "--app", "worker", "--json")
    found = json.loads(out)["findings"]
    assert "IKB103" in {finding["rule"] for finding in found}
    assert not [finding for finding in found if finding["file"].startswith("apps/website/src")]
    _, out, _ = run(capsys, "--repo", str(broken), "--app", "website", "--json")
    assert "apps/website/src/main.ts" in {finding["file"] for finding in json.loads(out)["findings"]}


def git(repo: Path, *words: str) -> None:
    author = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    subprocess.run(["git", "-C", str(repo), *author, *words], check=True, capture_output=True)


def test_changed_since_reports_what_the_change_touches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    (repo / "packages/ui/src/old.ts").write_text('import "left-pad";\n', encoding="utf-8")
    git(repo, "init", "-q")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "first")
    (repo / "apps/api/src/new.ts").write_text('import "p-map";\n', encoding="utf-8")
    _, out, _ = run(capsys, "--repo", str(repo), "--changed-since", "HEAD", "--json")
    assert {finding["package"] for finding in json.loads(out)["findings"]} == {"p-map"}
    code, _, err = run(capsys, "--repo", str(repo), "--changed-since", "nowhere")
    assert (code, "nowhere is no commit" in err) == (Exit.MISUSE, True)


_Edits = dict[str, str | tuple[str, str] | None]
_BREAKING: dict[str, tuple[_Edits, str, str]] = {
    "a file that an image copies is deleted": ({"tsconfig.base.json": None}, "IKB203", "apps/api/Dockerfile"),
    "a package is renamed": ({"packages/ui/package.json": ('"@suite/ui"', '"@suite/kit"')}, "IKB104",
                             "apps/website/package.json"),
    "an app is renamed": ({"apps/api/package.json": ('"@suite/api"', '"@suite/rest"')}, "IKB301",
                          "apps/api/Dockerfile"),
    "a package is new in an image": ({
        "packages/log/package.json": '{ "name": "@suite/log", "private": true, "dependencies": { "pg": "catalog:" } }',
        "packages/service/package.json": ('"typescript"', '"@suite/log": "workspace:*",\n    "typescript"')}, "IKB202",
                                     "apps/api/Dockerfile"),
    "an entry of the catalog is gone": ({"pnpm-workspace.yaml": ("  pg: ^8.23.0\n", "")}, "IKB105",
                                        "packages/db/package.json"),
}  # fmt: skip


@pytest.mark.parametrize("what", _BREAKING)
def test_changed_since_reports_what_a_change_breaks_elsewhere(what: str, tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    git(repo, "init", "-q")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "first")
    edits, rule, file = _BREAKING[what]
    for name, edit in edits.items():
        path = repo / name
        if edit is None:
            path.unlink()
        elif isinstance(edit, str):
            path.parent.mkdir()
            path.write_text(edit, encoding="utf-8")
        else:
            path.write_text(path.read_text(encoding="utf-8").replace(*edit), encoding="utf-8")
    report = engine.check(repo, scope.scope(repo, "", "HEAD"))
    assert (rule, file) in {(finding.rule, finding.file) for finding in report.findings}


def test_changed_since_leaves_out_what_stood_in_a_dockerfile_before(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    (repo / "tools").mkdir()
    (repo / "tools/Dockerfile").write_text("FROM node\nCOPY nothing.txt ./\nENV API_TOKEN=q8Zt4LmX0vPw7Rk2\n")
    git(repo, "init", "-q")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "first")
    (repo / "apps/api/src/main.ts").write_text("export {};\n", encoding="utf-8")
    assert engine.check(repo, scope.scope(repo, "", "HEAD")).findings == []
    (repo / "packages/ui/src/html.ts").unlink()
    found = engine.check(repo, scope.scope(repo, "", "HEAD")).findings
    assert {finding.rule for finding in found} <= {"IKB203"}


def test_the_text_holds_no_control_characters_of_the_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    (repo / "apps/api/src/new.ts").write_text('import "p-map"; // \x1b[31mred\x07\n', encoding="utf-8")
    _, out, _ = run(capsys, "--repo", str(repo))
    assert "\x1b" not in out
    assert "\x07" not in out


def test_every_face_is_found_by_its_name() -> None:
    assert findings.names() == ["github", "json", "sarif", "text"]


def test_the_module_can_be_run(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "check", "--repo", str(repo)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_reference_says_what_the_rules_say() -> None:
    from bridge.checks import reference

    written = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    assert written == reference.text(), "run: python -m bridge.checks.reference > docs/check.md"
