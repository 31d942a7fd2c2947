"""What people find on GitHub after a release, a rollback, and every ending of one."""

from __future__ import annotations

import pytest

from agent.model.errors import Exit, IkomaError
from agent.model.names import Target
from bridge.reports import model
from tests.github.server import Server
from tests.github.stage import HEAD, MERGED, OPERATION, TARGET, Stage, ended, start


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


def test_a_release_of_another_commit_is_recorded_as_what_it_is_and_told_on_no_pull_request_of_this_one(
    github: Server, stage: Stage
) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    job = stage.job({}, name="workflow_dispatch", GITHUB_REF="refs/heads/main")
    job.started(start(commit="c" * 40))
    job.finished(ended())
    assert job.close() == []
    assert [item["ref"] for item in github.double.deployments] == ["c" * 40]
    assert stage.comments == []
    assert "cccccccccccc" in stage.summary()


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
