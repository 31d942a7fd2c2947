"""What people find on GitHub after each kind of run."""

from __future__ import annotations

import re
import threading

import pytest

from agent.model.errors import Exit, IkomaError
from agent.model.names import Target
from bridge.reports import markdown, model
from tests.github.double import JOB_TOKEN, READ_TOKEN, USER_TOKEN
from tests.github.server import Fault, Server
from tests.github.stage import (
    HEAD,
    MERGED,
    OPERATION,
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
    assert "replaces `api` with a short gap; replaces `web` without a gap; the rest is untouched." in body
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


def tag(stage: Stage, operation: str = OPERATION, run: int = 100) -> None:
    """Deploy a release tag."""
    job = stage.job({"ref": "refs/tags/v1.2.3"}, name="push", run=run, GITHUB_REF="refs/tags/v1.2.3")
    job.started(start(operation, tag="v1.2.3", commit=MERGED))
    job.finished(ended(operation=operation))
    assert job.close() == []


def test_a_release_tag_becomes_a_deployment_that_says_where_it_serves(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    tag(stage)
    (deployment,) = github.double.deployments
    assert (deployment["ref"], deployment["environment"], deployment["task"]) == ("v1.2.3", "production", "deploy:shop")
    assert deployment["production_environment"] is True
    newest = github.double.statuses[deployment["id"]][0]
    assert newest["state"] == "success"
    assert newest["description"] == "HEALTHY: Deployment validated by health check"
    assert newest["environment_url"] == "https://shop.example.com"
    assert newest["log_url"] == "https://github.com/acme/shop/actions/runs/100"
    (body,) = stage.comments
    assert "```mermaid\ngantt" in body
    assert "python -m bridge rollback --app shop --to r-aaaaaaaaaaaa" in body


def test_the_deployment_before_becomes_inactive_in_production_too(github: Server, stage: Stage) -> None:
    operations = [OPERATION.replace("98c4", f"98c{index}") for index in range(3)]
    for index, operation in enumerate(operations):
        tag(stage, operation, run=100 + index)
    finals = [stage.states[operation][-1] for operation in operations]
    assert finals == ["inactive", "inactive", "success"]


def test_another_app_of_the_same_environment_stays_active(github: Server, stage: Stage) -> None:
    tag(stage)
    other = stage.job({}, name="push", run=101, target=Target("blog", "production"))
    other.started(start("0193a0c4-7b1e-7cc3-98c4-dc0c0c073990"))
    other.finished(ended(operation="0193a0c4-7b1e-7cc3-98c4-dc0c0c073990"))
    assert other.close() == []
    assert stage.states[OPERATION][-1] == "success"


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        ("FAILED", "failure", "before any container was touched"),
        ("ROLLED_BACK", "failure", "every service is back at **`r-aaaaaaaaaaaa`**"),
        ("INTERRUPTED", "error", "The host's worker died"),
    ],
)
def test_a_deployment_that_fails_says_how_and_leaves_the_one_before_active(
    github: Server, stage: Stage, status: str, state: str, words: str
) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    tag(stage)
    other = OPERATION.replace("98c4", "98c5")
    job = stage.job({}, name="push", run=101)
    job.started(start(other))
    error = {"id": "health.failed", "step": "roll-out", "message": "api: exit 1\nboom", "remedy": "Read the logs."}
    job.finished(ended(status, operation=other, error=error))
    assert job.close() == []
    assert stage.states == {OPERATION: ["in_progress", "success"], other: ["in_progress", state]} or (
        stage.states[OPERATION][-1] == "success" and stage.states[other][-1] == state
    )
    (body,) = stage.comments
    assert words in body
    assert "> boom" in body
    assert "rollback --app" not in body, "nothing to go back from"


def test_a_lost_connection_is_told_as_what_it_is(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    job = stage.job({}, name="push")
    job.started(start())
    lost = IkomaError("remote.detached", exit_code=Exit.DETACHED, operation=OPERATION, destination="h", reason="r",
                      command=f"python -m bridge attach {OPERATION} --app shop")  # fmt: skip
    job.finished(model.failed_deployment(TARGET, OPERATION, lost, "en"))
    assert job.close() == []
    (body,) = stage.comments
    assert "The connection was lost after 0.0 s. **The operation was still running on the host**" in body
    assert f"```sh\npython -m bridge attach {OPERATION} --app shop\n```" in body
    assert stage.states[OPERATION][-1] == "in_progress"
    status = github.double.statuses[github.double.deployments[0]["id"]][0]
    assert status["description"] == "no longer followed; the host ends it by itself"


def test_a_cancelled_run_does_not_blame_the_connection(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    job = stage.job({}, name="push")
    job.started(start())
    left = IkomaError("remote.interrupted", exit_code=Exit.DETACHED, operation=OPERATION)
    job.finished(model.failed_deployment(TARGET, OPERATION, left, "en"))
    assert job.close() == []
    assert "This run stopped following it" in stage.comments[0]
    assert stage.states[OPERATION][-1] == "in_progress"


def test_a_first_release_that_is_undone_names_no_release_to_be_back_at(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    job = stage.job({}, name="push")
    job.started(start())
    job.finished(ended("ROLLED_BACK", previous=None))
    assert job.close() == []
    assert "nothing served before, so nothing serves now" in stage.comments[0]


def test_warnings_fail_the_check_run_where_they_were_asked_to(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    for run, strict in ((100, False), (101, True)):
        job = stage.job(run=run)
        job.findings(check(finding(severity="warning")), strict=strict)
        assert job.close() == []
    assert [item["conclusion"] for item in github.double.checks] == ["success", "failure"]


def test_a_report_speaks_french_where_the_team_does(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    job = stage.job({}, name="push", IKOMA_LANG="fr")
    job.started(start())
    job.finished(ended())
    assert job.close() == []
    assert "### Ce qui s'est passé" in stage.comments[0]
    assert "Pour revenir en arrière :" in stage.summary()


def test_a_runner_that_dies_leaves_a_report_that_says_how_to_see_the_end(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    job = stage.job({}, name="push")
    job.started(start())
    job.close()
    assert f"python -m bridge attach {OPERATION} --app shop" in stage.comments[0]
    assert stage.states[OPERATION] == ["in_progress"]


def test_a_rollback_is_a_deployment_of_its_own(github: Server, stage: Stage) -> None:
    tag(stage)
    back = OPERATION.replace("98c4", "98c9")
    job = stage.job({"inputs": {"to": "r-aaaaaaaaaaaa"}}, name="workflow_dispatch", run=101)
    job.started(start(back, kind="rollback", release="r-aaaaaaaaaaaa"))
    job.finished(ended(operation=back, release="r-aaaaaaaaaaaa", previous="r-0123456789ab"))
    assert job.close() == []
    assert [stage.states[operation][-1] for operation in (OPERATION, back)] == ["inactive", "success"]
    assert github.double.deployments[0]["payload"]["kind"] == "rollback"


def test_a_rollback_names_the_tag_that_comes_back_and_leaves_the_pull_request_of_its_own_commit_alone(
    github: Server, stage: Stage
) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    tag(stage)
    before = stage.comments
    job = stage.job({}, name="workflow_dispatch", run=101, GITHUB_REF="refs/heads/main")
    job.started(start(OPERATION.replace("98c4", "98c9"), kind="rollback"))
    job.finished(ended(operation=OPERATION.replace("98c4", "98c9")))
    assert job.close() == []
    assert github.double.deployments[0]["ref"] == "v1.2.3"
    assert stage.comments == before


def test_a_run_that_is_repeated_creates_no_second_deployment(github: Server, stage: Stage) -> None:
    tag(stage)
    tag(stage)
    assert len(github.double.deployments) == 1
    assert stage.states[OPERATION][-1] == "success"


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


def test_a_token_that_writes_under_another_name_is_told_to_say_so_and_writes_one_comment(
    github: Server, stage: Stage
) -> None:
    github.double.open_pull(7, HEAD)
    job = stage.job(BRIDGE_GITHUB_AUTHOR="our-app[bot]", token=JOB_TOKEN)
    job.findings(check())
    job.planned(plan())
    assert job.close() == []
    assert "appears under github-actions[bot], not our-app[bot]" in stage.log.getvalue()
    assert "Set github-author to github-actions[bot]" in stage.log.getvalue()
    (body,) = stage.comments
    assert "### Plan" in body


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
