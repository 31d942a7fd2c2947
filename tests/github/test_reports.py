"""What people find on a pull request and in its job, whatever the run, the token and the words."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from agent.model.names import Target
from bridge.reports import markdown
from tests.github.double import APP_TOKEN, JOB_TOKEN, READ_TOKEN, USER_TOKEN
from tests.github.server import Fault, Server
from tests.github.stage import (
    HEAD,
    TARGET,
    Stage,
    check,
    ended,
    finding,
    plan,
    pull_event,
    second_stage,
    start,
)


def test_an_opened_pull_request_gets_one_comment_one_check_run_and_a_summary(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    job = stage.job()
    job.findings(check(finding()))
    job.planned(plan())
    assert job.close() == []
    (body,) = stage.comments
    assert body.startswith("<!-- ikoma-bridge report app=shop environment=production run=100.1 -->\n## ❌ shop → ")
    assert f"(https://github.com/acme/shop/blob/{HEAD}/apps/web/src/page0.ts#L1)" in body
    assert "builds 2 of 4 images, reuses 2; 1 migration, nothing known to break what serves now; " in body
    assert "replaces `api`, a short gap; replaces `web` without a gap; the rest is untouched." in body
    (run,) = github.double.checks
    assert (run["head_sha"], run["name"], run["conclusion"]) == (HEAD, "ikoma shop (production)", "failure")
    assert github.double.notes[run["id"]][0]["path"] == "apps/web/src/page0.ts"
    assert "left-pad is imported but not declared" in stage.summary()
    assert "warning" not in stage.log.getvalue()


def test_a_second_push_rewrites_the_comment_in_place(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    for run, found in ((100, [finding()]), (101, [])):
        job = stage.job(run=run)
        job.findings(check(*found))
        assert job.close() == []
    (body,) = stage.comments
    assert "run=101.1" in body
    assert "✅ shop → production: nothing found" in body
    assert len([call for call in github.writes() if call.startswith("POST") and "comments" in call]) == 1


def test_a_comment_on_the_second_page_is_found(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    for index in range(140):
        github.double.plant(7, f"user{index}", "me too")
    for run in (100, 101):
        job = stage.job(run=run)
        job.findings(check())
        assert job.close() == []
    assert len(stage.comments) == 1
    assert max(len(items) for items in github.double.comments.values()) == 141


def test_a_marker_planted_by_somebody_else_is_left_alone(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    trap = "<!-- ikoma-bridge report app=shop environment=production run=1.1 -->\nClick here"
    planted = github.double.plant(7, "stranger", trap)
    quoted = github.double.plant(7, "github-actions[bot]", f"> {trap}", "Bot")
    job = stage.job()
    job.findings(check())
    assert job.close() == []
    bodies = {item["id"]: item["body"] for item in github.double.comments[7]}
    assert bodies[planted] == trap
    assert bodies[quoted] == f"> {trap}"
    assert len(bodies) == 3


def test_each_app_and_environment_has_its_own_comment_and_check(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    for target in (TARGET, Target("shop", "staging"), Target("blog", "production")):
        job = stage.job(target=target)
        job.findings(check())
        assert job.close() == []
    assert len(stage.comments) == 3
    assert len({run["name"] for run in github.double.checks}) == 3


def test_two_runs_at_once_leave_one_comment(github: Server, stage: Stage) -> None:
    """Both look before either writes: each finds nothing and creates one."""
    github.double.open_pull(7, HEAD)
    together = threading.Barrier(2, timeout=20)

    def meet(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/comments"):
            together.wait()

    github.before = meet
    jobs = [stage.job(run=run) for run in (100, 101)]
    for job in jobs:
        job.findings(check(finding()))
    assert [job.close() for job in jobs] == [[], []]
    (body,) = stage.comments
    assert "run=101.1" in body, "the later run has the last word"


def test_an_older_run_that_ends_later_does_not_overwrite_a_newer_report(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    for run in (200, 100):
        job = stage.job(run=run)
        job.findings(check())
        assert job.close() == []
    assert "run=200.1" in stage.comments[0]


def test_a_fork_with_a_token_that_only_reads_gets_the_summary_and_a_plain_word(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, owner="stranger")
    job = stage.job(pull_event(owner="stranger"), token=READ_TOKEN)
    job.findings(check(finding()))
    assert job.close() == []
    assert (stage.comments, github.double.checks) == ([], [])
    assert "left-pad is imported" in stage.summary()
    assert "The token of this job may not write the comment (answer 403" in stage.log.getvalue()


def test_the_second_workflow_finds_the_forks_pull_request_by_its_head(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, owner="stranger")
    github.double.open_pull(8, "c" * 40, owner="stranger", branch="other")
    job = stage.job(second_stage(), name="workflow_run")
    job.findings(check(finding()))
    assert job.close() == []
    assert [len(github.double.comments[number]) for number in (7, 8)] == [1, 0]
    assert github.double.checks[0]["head_sha"] == HEAD


def test_a_head_that_moved_on_gets_no_comment_about_the_old_one(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, "c" * 40, owner="stranger")
    job = stage.job(second_stage(), name="workflow_run")
    job.findings(check(finding()))
    assert job.close() == []
    assert stage.comments == []


def test_warnings_fail_the_check_run_where_they_were_asked_to(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    for run, strict in ((100, False), (101, True)):
        job = stage.job(run=run)
        job.findings(check(finding(severity="warning")), strict=strict)
        assert job.close() == []
    assert [item["conclusion"] for item in github.double.checks] == ["success", "failure"]


def test_120_annotations_arrive_in_three_requests(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    job = stage.job()
    job.findings(check(*(finding(index) for index in range(120))))
    assert job.close() == []
    (run,) = github.double.checks
    assert [note["start_line"] for note in github.double.notes[run["id"]]] == list(range(1, 121))
    sent = [call for call in github.writes() if "check-runs" in call]
    assert len(sent) == 3


def test_a_report_of_100_kb_is_cut_between_rows(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    job = stage.job()
    job.findings(check(*(finding(index, message="wörd " * 60) for index in range(400))))
    job.planned(plan())
    assert job.close() == []
    (body,) = stage.comments
    assert 60_000 < len(body.encode()) < 65_536
    assert re.search(r"\n\n… and \d+ more: \[log and summary\]\(https://github.com/acme/shop/actions/runs/100\)$", body)
    rows = [line for line in body.splitlines() if line.startswith("| ❌")]
    assert all(line.endswith(" |") and line.count(" | ") == 4 for line in rows)
    assert len(stage.summary().encode()) > 100_000


def test_a_personal_token_finds_its_own_comment_again(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    for run in (100, 101):
        job = stage.job(run=run, token=USER_TOKEN)
        job.findings(check())
        job.close()
    assert len(stage.comments) == 1
    assert "You must authenticate via a GitHub App" in stage.log.getvalue()


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"gap_seconds": 0.4, "gap_measured": True}, "restarts `api`, 0.4 s gap;"),
        ({"gap_seconds": 41.0, "gap_measured": False}, "restarts `api`, a gap of at most 41 s;"),
        ({}, "restarts `api`, a short gap;"),
        ({"gap_seconds": "<b>", "gap_measured": True}, "restarts `api`, a short gap;"),
    ],
)
def test_the_plan_says_for_how_long_a_service_will_be_gone(
    github: Server, stage: Stage, known: dict[str, Any], said: str
) -> None:
    github.double.open_pull(7, HEAD)
    job, told = stage.job(), plan()
    assert told["host"] is not None
    told["host"]["services"][0] |= {"action": "restarted"} | known
    job.planned(told)
    assert job.close() == []
    assert said in stage.comments[0]


def test_an_analysis_that_the_token_may_not_hand_in_is_missing_and_fails_nothing(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    github.faults.append(Fault("denied", path="code-scanning"))
    job = stage.job(GITHUB_REF="refs/pull/7/merge")
    job.findings(check(), sarif="{}")
    assert job.close() == []
    assert job.refused == {"scanning"}
    assert "may not write the analysis for code scanning" in stage.log.getvalue()
    assert len(stage.comments) == 1


@pytest.mark.parametrize("denied", ["", "check-runs"])
def test_an_app_of_ones_own_finds_its_comment_again_without_being_told_its_name(
    github: Server, stage: Stage, denied: str
) -> None:
    """What it wrote tells its name: the check run, or, where it may not write one, the comment itself."""
    github.double.open_pull(7, HEAD)
    for run in (100, 101):
        if denied:
            github.faults.append(Fault("denied", method="POST", path=denied))
        job = stage.job(run=run, token=APP_TOKEN)
        job.findings(check(finding(run)))
        job.close()
    ours = [item["body"] for item in github.double.comments[7] if item["user"]["login"] == "our-app[bot]"]
    assert len(ours) == 1
    assert "page101" in ours[0]
    created = [call for call in github.writes() if call.startswith("POST") and call.endswith("/comments")]
    assert len(created) == (2 if denied else 1)


@pytest.mark.parametrize("secret", ["hunter2-registry", "p@ss_w*rd#1|`x`", "https://u:p_w@h.example/x", "x" * 600])
def test_secrets_stay_out_of_every_report(github: Server, stage: Stage, secret: str) -> None:
    github.double.open_pull(7, HEAD)
    job = stage.job(BRIDGE_REGISTRY_TOKEN=secret)
    job.findings(check(finding(message=f"found {secret} and {JOB_TOKEN}", fix=secret, file=f"a/{secret}")))
    job.planned(plan([{"message": f"password {secret}", "remedy": secret}]))
    job.started(start())
    error = {"id": "x.y", "step": None, "message": f"no\n{secret}\nend", "remedy": secret}
    job.finished(ended("FAILED", message=secret, error=error))
    assert job.close() == []
    double = github.double
    told = str([double.comments, double.checks, double.notes, double.deployments, double.statuses, stage.summary()])
    for form in (secret, markdown.prose(secret), markdown.code(secret), secret[:20], JOB_TOKEN):
        assert form not in told + stage.log.getvalue()
    assert "\\*\\*\\*" in stage.comments[0]


def test_an_outage_is_said_once_and_made_good_at_the_end(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    github.faults.append(Fault("before", times=9, path="comments"))
    job = stage.job()
    job.findings(check())
    assert job.close() == []
    assert len(stage.comments) == 1
    assert stage.log.getvalue().count("GitHub did not take the comment") == 1


def test_a_github_that_is_gone_fails_nothing(stage: Stage) -> None:
    stage.github.url = "http://127.0.0.1:9"
    job = stage.job()
    job.findings(check(finding()))
    job.started(start())
    job.finished(ended())
    assert job.close() == ["check", "comment", "deployment"]
    assert "the comment is missing on GitHub" in stage.log.getvalue()
    assert "shop → production: HEALTHY" in stage.summary()
