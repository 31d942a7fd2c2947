"""The commands of the Action whose last word is GitHub's: going back, publishing for a fork, attaching a file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from agent.model.errors import Exit, IkomaError
from bridge.commands import tasks
from bridge.github import api, request
from bridge.github.retry import Policy
from bridge.pipeline import bundles, host
from bridge.reports.console import Console
from tests.github.double import JOB_TOKEN
from tests.github.server import Fault, Server
from tests.github.stage import HEAD, OPERATION, TARGET, Stage, ended, finding, second_stage, start
from tests.github.stage import check as checked

BACK = OPERATION.replace("98c4", "98c9")
FIRST, SECOND = "r-aaaaaaaaaaaa", "r-0123456789ab"


def task(stage: Stage, given: dict[str, str], event: dict[str, Any], name: str, **more: str) -> tasks.Task:
    """Return a command of the Action in a job of its own, with the log in ``stage.log``."""
    environ = stage.environ(event, name, 101, GITHUB_WORKSPACE=str(stage.folder), **more)
    stage.log = io.StringIO()
    wanted = request.read({"github-token": JOB_TOKEN, "app": TARGET.app, **given})
    return tasks.task(wanted, environ, Console(environ=environ, out=stage.log, err=stage.log))


# --- rollback


@pytest.fixture
def two_releases(stage: Stage) -> None:
    """GitHub has seen two releases, each of a tag."""
    for number, release in enumerate((FIRST, SECOND)):
        name, operation = f"refs/tags/v1.{number}.0", OPERATION.replace("98c4", f"98c{number}")
        job = stage.job({"ref": name}, name="push", run=90 + number, GITHUB_REF=name)
        job.started(start(operation, tag=f"v1.{number}.0", release=release))
        job.finished(ended(operation=operation, release=release))
        assert job.close() == []


Status = Callable[[], dict[str, Any]]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Status], list[dict[str, Any]]]:
    """Put a host in place that says its status so, and goes back; return what it was asked to go back to."""
    asked: list[dict[str, Any]] = []

    def put(status: Status) -> list[dict[str, Any]]:
        def perform(_: object, capability: str, body: Any, operation: str, on_event: object) -> dict[str, Any]:
            asked.append(body.args)
            return dict(ended(operation=operation, release=FIRST, previous=SECOND))

        @contextmanager
        def reach(*_: object) -> Iterator[Any]:
            agent = SimpleNamespace(read=lambda capability, body: status())
            yield SimpleNamespace(wait=lambda: None, agent=agent)

        monkeypatch.setattr(host, "reach", reach)
        monkeypatch.setattr(host, "perform", perform)
        return asked

    return put


def back(stage: Stage, to: str = "") -> tasks.Task:
    given = {"command": "rollback", "ssh-key": "-----BEGIN", "host": "vps.example.com", "to": to}
    return task(stage, given, {"inputs": {"to": to}}, "workflow_dispatch", GITHUB_REF="refs/heads/main")


@pytest.mark.usefixtures("two_releases")
@pytest.mark.parametrize("to", ["", FIRST])
def test_a_rollback_names_the_tag_that_comes_back_whether_its_release_was_named_or_not(
    github: Server, stage: Stage, answering: Callable[[Status], list[dict[str, Any]]], to: str
) -> None:
    asked = answering(lambda: {"release": SECOND, "previous": FIRST})
    job = back(stage, to)
    assert job.run() == Exit.DONE
    job.close(30)
    newest = github.double.deployments[0]
    assert (newest["ref"], newest["payload"]["release"]) == ("v1.0.0", FIRST)
    assert asked == [{"to": to} if to else {}], "the host chooses, under its lock"


@pytest.mark.usefixtures("two_releases")
def test_a_host_that_does_not_say_what_comes_back_is_rolled_back_all_the_same(
    github: Server, stage: Stage, answering: Callable[[Status], list[dict[str, Any]]]
) -> None:
    def silent() -> dict[str, Any]:
        raise IkomaError("remote.lost", destination="vps.example.com", reason="x")

    answering(silent)
    job = back(stage)
    assert job.run() == Exit.DONE
    job.close(30)
    assert len(github.double.deployments) == 3


# --- report


@pytest.mark.parametrize(
    ("severity", "strict", "status", "conclusion"),
    [
        ("warning", "true", "REFUSED", "failure"),
        ("warning", "false", "PASSED", "success"),
        ("info", "true", "PASSED", "success"),
    ],
)
def test_the_warnings_of_a_fork_fail_where_the_publishing_workflow_is_strict(
    github: Server, stage: Stage, severity: str, strict: str, status: str, conclusion: str
) -> None:
    github.double.open_pull(7, HEAD, owner="stranger")
    report = {"app": "shop", "environment": "production", "check": checked(finding(severity=severity)), "strict": True}
    (stage.folder / "report.json").write_text(json.dumps(report))
    given = {"command": "report", "report-file": "report.json", "strict": strict}
    job = task(stage, given, second_stage(), "workflow_run")
    assert job.run() == Exit.DONE
    job.close(30)
    assert job.outputs["status"] == status
    assert [run["conclusion"] for run in github.double.checks] == [conclusion]


# --- attach


@pytest.fixture
def attaching(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tasks.Task]:
    """Make jobs that attach a kept release; nobody really waits."""
    release = SimpleNamespace(target=TARGET, id=SECOND)
    monkeypatch.setattr(bundles, "read", lambda *_: release)
    reader = api.Api

    def impatient(here: Any, token: Any) -> api.Api:
        return reader(here, token, Policy(sleep=stage.waited.append))

    monkeypatch.setattr(api, "Api", impatient)
    (stage.folder / "kept.tar.gz").write_bytes(b"release")
    given = {"command": "attach", "release": "kept.tar.gz"}
    return lambda: task(stage, given, {"ref": "refs/tags/v1.0.0"}, "push", GITHUB_REF="refs/tags/v1.0.0")


@pytest.mark.parametrize(
    "fault",
    [Fault("before", times=1000), Fault("drop", times=1000), Fault("html", times=1000), Fault("denied", times=1000),
     Fault("primary", times=1000, seconds=900.0), Fault("before", times=1000, method="POST")],
    ids=["502", "cut", "no JSON", "no right", "limit", "upload"],
)  # fmt: skip
def test_a_github_that_is_out_of_order_does_not_fail_the_release_that_is_attached(
    github: Server, stage: Stage, attaching: Callable[[], tasks.Task], fault: Fault
) -> None:
    github.double.publish("v1.0.0")
    github.faults.append(fault)
    job = attaching()
    assert job.run() == Exit.DONE
    assert (job.outputs["status"], job.outputs["release"]) == ("SKIPPED", SECOND)
    assert "GitHub did not take kept.tar.gz for the release of v1.0.0 (" in stage.log.getvalue()


def test_what_is_wrong_on_our_side_still_fails_it(stage: Stage) -> None:
    (stage.folder / "kept.tar.gz").write_bytes(b"no release")
    given = {"command": "attach", "release": "kept.tar.gz"}
    job = task(stage, given, {"ref": "refs/tags/v1.0.0"}, "push", GITHUB_REF="refs/tags/v1.0.0")
    with pytest.raises(IkomaError):
        job.run()
    assert job.outputs["status"] == "FAILED"


@pytest.mark.parametrize(("published", "status"), [(True, "ATTACHED"), (False, "SKIPPED")])
def test_a_release_is_attached_where_the_tag_has_one(
    github: Server, attaching: Callable[[], tasks.Task], published: bool, status: str
) -> None:
    if published:
        github.double.publish("v1.0.0")
    job = attaching()
    assert job.run() == Exit.DONE
    assert job.outputs["status"] == status
