"""Pull requests: the workflows run as they stand, and what GitHub then holds is what people would see."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.action import events
from tests.action.conftest import NewRunner, commit, faulty
from tests.action.runner import Ended
from tests.github.double import JOB_TOKEN, READ_TOKEN
from tests.github.server import Fault, Kind, Server, kinds

FORK = "mallory/shop"


def checked(new_runner: NewRunner, context: dict[str, Any], files: dict[str, str], **inputs: Any) -> Ended:
    """Run the check of a pull request whose repository holds ``files``."""
    runner = new_runner(context)
    commit(runner.workspace, files)
    return runner.job("check.yml", "check", inputs, {})


def bodies(github: Server, number: int = 7) -> list[str]:
    return [comment["body"] for comment in github.double.comments[number]]


def test_an_opened_pull_request_gets_one_comment_and_a_push_updates_it(github: Server, new_runner: NewRunner) -> None:
    github.double.open_pull(7, events.HEAD)
    first = checked(new_runner, events.pull_request(github.url, JOB_TOKEN), faulty(3))
    assert not first.ok
    assert first.outputs == {"status": "REFUSED", "findings": "4"}
    assert len(bodies(github)) == 1
    assert "IKB203" in bodies(github)[0]

    second = "a" * 40
    github.double.open_pull(7, second)
    fixed = checked(new_runner, events.pull_request(github.url, JOB_TOKEN, head=second) | {"run_id": "7099"}, faulty(0))
    assert fixed.ok, fixed.log.shown
    assert fixed.outputs["status"] == "PASSED"
    assert len(bodies(github)) == 1
    assert "IKB203" not in bodies(github)[0]


def test_120_findings_reach_the_check_run_in_requests_of_at_most_50(github: Server, new_runner: NewRunner) -> None:
    github.double.open_pull(7, events.HEAD)
    ended = checked(new_runner, events.pull_request(github.url, JOB_TOKEN), faulty(120))
    assert ended.outputs["findings"] == "121"
    notes = sum(len(notes) for notes in github.double.notes.values())
    assert notes >= 120
    sent = [path for path in github.writes() if "check-runs" in path]
    assert len(sent) >= 3
    assert not ended.log.of("error") or len(ended.log.of("error")) <= 10


def test_an_app_below_the_top_of_its_repository_is_told_of_by_whole_paths(
    github: Server, new_runner: NewRunner
) -> None:
    """In annotations, links and alerts: GitHub knows no path that begins in the middle of a repository."""
    github.double.open_pull(7, events.HEAD)
    runner = new_runner(events.pull_request(github.url, JOB_TOKEN))
    commit(runner.workspace, {f"apps/shop/{name}": text for name, text in faulty(2).items()})
    ended = runner.action(command="check", working_directory="apps/shop", sarif="true")
    assert ended.outputs["status"] == "REFUSED"
    [notes] = github.double.notes.values()
    assert {note["path"] for note in notes} == {"apps/shop/Dockerfile", "apps/shop/docker-compose.yml"}
    assert f"/blob/{events.HEAD}/apps/shop/Dockerfile#L2" in bodies(github)[0]
    [analysis] = github.double.analyses
    assert (analysis["ref"], analysis["commit"]) == ("refs/pull/7/merge", "f" * 40)
    [run] = analysis["document"]["runs"]
    assert run["automationDetails"]["id"] == "ikoma/shop/production/"
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]]
    assert set(places) == {"apps/shop/Dockerfile", "apps/shop/docker-compose.yml"}


def test_a_fork_is_checked_without_rights_and_reported_on_by_a_second_run(
    github: Server, new_runner: NewRunner
) -> None:
    github.double.open_pull(7, events.HEAD, "topic", "mallory")
    runner = new_runner(events.pull_request(github.url, READ_TOKEN, repository=FORK))
    commit(runner.workspace, faulty(2))
    host = {"host": "vps.example.com", "registry": "ghcr.io/acme"}
    ended = runner.job("check.yml", "check", host, {"BRIDGE_SSH_KEY": "-----BEGIN KEY-----\nthe-key-of-production\n"})
    assert ended.steps["Check and plan"] == "skipped"
    assert ended.outputs["status"] == "REFUSED"
    assert ended.steps["Hand the findings on"] == "success"
    assert github.calls == []
    assert [command.properties["file"] for command in ended.log.of("error")] == ["Dockerfile", "Dockerfile"]
    assert "IKB203" in ended.summary

    second = new_runner(events.workflow_run(github.url, JOB_TOKEN, branch="topic", head=events.HEAD, repository=FORK))
    (second.root / "artifacts").rmdir()
    (second.root / "artifacts").symlink_to(runner.root / "artifacts")
    published = second.job("report.yml", "report", {}, {})
    assert published.ok, published.log.shown
    assert len(bodies(github)) == 1
    assert "IKB203" in bodies(github)[0]


@pytest.mark.parametrize(
    ("strict", "status", "conclusion"), [(True, "REFUSED", "failure"), (False, "PASSED", "success")]
)
def test_a_fork_with_warnings_alone_is_judged_alike_by_both_runs(
    github: Server, new_runner: NewRunner, strict: bool, status: str, conclusion: str
) -> None:
    """Whoever calls the second run says whether warnings fail; what the fork's run handed on is not asked."""
    github.double.open_pull(7, events.HEAD, "topic", "mallory")
    runner = new_runner(events.pull_request(github.url, READ_TOKEN, repository=FORK))
    commit(runner.workspace, faulty(0))
    ended = runner.job("check.yml", "check", {"strict": strict}, {})
    assert ended.outputs == {"status": status, "findings": "1"}, ended.log.shown

    second = new_runner(events.workflow_run(github.url, JOB_TOKEN, branch="topic", head=events.HEAD, repository=FORK))
    (second.root / "artifacts").rmdir()
    (second.root / "artifacts").symlink_to(runner.root / "artifacts")
    published = second.job("report.yml", "report", {"strict": strict}, {})
    assert published.ok, published.log.shown
    assert [run["conclusion"] for run in github.double.checks] == [conclusion]


def test_a_fork_cannot_say_by_its_artifact_whom_a_report_is_about(github: Server, new_runner: NewRunner) -> None:
    github.double.open_pull(7, events.HEAD, "topic", "mallory")
    github.double.open_pull(8, "b" * 40)
    finding = {
        "rule": "IKB203", "severity": "error", "file": "a.txt", "line": 1, "column": 1, "package": "", "app": "",
        "message": "</details><img src=x onerror=y> [free](https://evil.example) @everyone\n::set-output name=a::b",
        "why": "", "fix": "| a | b |\n## heading", "row": "", "fixable": False,
    }  # fmt: skip
    check = {"findings": [finding], "counts": {}, "seconds": 0.1, "files": 1, "silenced": 0, "fixed": []}
    report = {"app": "shop", "environment": "production", "check": check, "pull": 8, "number": 8, "head": "b" * 40}
    runner = new_runner(events.workflow_run(github.url, JOB_TOKEN, branch="topic", head=events.HEAD, repository=FORK))
    folder = runner.root / "artifacts/ikoma-report"
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(report))
    ended = runner.job("report.yml", "report", {}, {})
    assert ended.ok, ended.log.shown
    assert not bodies(github, 8)
    [body] = bodies(github, 7)
    assert "<img" not in body
    assert "](https://evil.example)" not in body
    assert "\n## heading" not in body
    assert not ended.log.of("set-output")


def test_an_artifact_that_is_no_report_of_ours_publishes_nothing(github: Server, new_runner: NewRunner) -> None:
    for text in ("{", "[]", '{"app": "../x", "environment": "production", "check": {}}', '{"app":' + "[" * 100000):
        runner = new_runner(
            events.workflow_run(github.url, JOB_TOKEN, branch="topic", head=events.HEAD, repository=FORK)
        )
        (runner.workspace / "report.json").write_text(text)
        ended = runner.action(command="report", report_file="report.json")
        assert not ended.ok
        assert ended.outputs["status"] == "MISUSE"
    assert github.calls == []


def test_names_that_people_choose_form_no_command_and_no_markup(github: Server, new_runner: NewRunner) -> None:
    branch = "x::set-output name=status::HEALTHY"
    name = "::error::owned <b>`| ##{0} @everyone</details>\u202e".replace("{0}", "(add-mask)a")
    github.double.open_pull(7, events.HEAD)
    context = events.pull_request(github.url, JOB_TOKEN, branch=branch)
    files = faulty(1, name) | {"a\n::set-output name=status::HEALTHY/x": "x"}
    ended = checked(new_runner, context, files)
    assert ended.outputs["status"] == "REFUSED", ended.log.shown
    assert {command.name for command in ended.log.commands} <= {"group", "endgroup", "add-mask", "error", "warning"}
    [body] = bodies(github)
    assert "owned" in body
    for markup in ("<b>", "</details>\u202e", "\u202e", "|  ##"):
        assert markup not in body


def test_a_token_that_may_write_no_check_run_leaves_the_annotations_in_the_log(
    github: Server, new_runner: NewRunner
) -> None:
    github.double.open_pull(7, events.HEAD)
    github.faults.append(Fault("denied", times=99, path="check-runs"))
    ended = checked(new_runner, events.pull_request(github.url, JOB_TOKEN), faulty(2))
    assert ended.outputs["status"] == "REFUSED"
    assert [command.properties["file"] for command in ended.log.of("error")] == ["Dockerfile", "Dockerfile"]
    assert len(bodies(github)) == 1


@pytest.mark.parametrize("fault", kinds("before"))
def test_github_fails_at_every_call_once_and_the_reports_are_the_same(
    github: Server, new_runner: NewRunner, fault: Kind
) -> None:
    """502 with nothing done; in a long run also 502 with all done, a cut line, and a limit on creating too fast."""
    github.double.open_pull(7, events.HEAD)
    github.faults.append(Fault(fault, turns=True, seconds=0.5))
    runner = new_runner(events.pull_request(github.url, JOB_TOKEN), {"IKOMA_REPORT_SECONDS": "300"})
    commit(runner.workspace, faulty(70))
    ended = runner.job("check.yml", "check", {}, {})
    assert ended.outputs["status"] == "REFUSED", ended.log.shown
    [run] = github.double.checks
    missing = [note["start_line"] for note in github.double.notes[run["id"]] if note["path"] == "Dockerfile"]
    assert missing == list(range(2, 72))
    assert len(bodies(github)) == 1
    assert "IKB203" in bodies(github)[0]
    assert "is missing on GitHub" not in ended.log.shown


def test_without_github_the_log_the_outputs_and_the_summary_still_tell_everything(
    github: Server, new_runner: NewRunner
) -> None:
    github.faults.append(Fault("html", times=1000))
    ended = new_runner(events.pull_request(github.url, JOB_TOKEN), {"IKOMA_REPORT_SECONDS": "2"})
    commit(ended.workspace, faulty(2))
    told = ended.action(command="check")
    assert told.outputs["status"] == "REFUSED"
    assert "IKB203" in told.summary
    assert len(told.log.of("error")) == 2
    assert "GitHub" in told.log.shown


def test_wrong_inputs_are_told_all_at_once_and_their_secrets_are_masked(github: Server, new_runner: NewRunner) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWxpbmUtb25l\nc2VjcmV0LWxpbmUtdHdv\n-----END PRIVATE KEY-----"
    ended = new_runner(events.pull_request(github.url, JOB_TOKEN)).action(
        command="deploy", ssh_key=key, registry_token="hunter2-hunter2", port="no", to="r-1", if_busy="perhaps",
        host_key="a", known_hosts="b c d",
    )  # fmt: skip
    assert not ended.ok
    assert ended.outputs["status"] == "MISUSE"
    [error] = ended.log.of("error")
    for name in ("`registry` is missing", "`port`", "`to` means nothing", "`if-busy`", "`host-key` and `known-hosts`"):
        assert name in error.value
    assert {"hunter2-hunter2", "c2VjcmV0LWxpbmUtb25l", JOB_TOKEN} <= set(ended.log.masks)
    assert "hunter2" not in ended.log.shown
    assert "c2VjcmV0" not in ended.log.shown
    assert github.calls == []
