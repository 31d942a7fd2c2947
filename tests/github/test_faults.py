"""GitHub failing at every single call, and its limits: the reports come out the same, and nothing twice."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from agent.model.errors import IkomaError
from bridge.github.platform import Platform
from bridge.reports.github import Reporter, Story
from tests.github.server import Fault, Kind, Server, serve
from tests.github.stage import HEAD, MERGED, OPERATION, Stage, check, ended, finding, plan, start

Scene = Callable[[Stage], None]


def published(job: Reporter) -> tuple[Platform, Story]:
    """Return where the job publishes, to call it directly: one call after the other, in an order that never changes."""
    assert isinstance(job.platform, Platform)
    return job.platform, job.story


def checked(stage: Stage) -> None:
    """A pull request is checked, and then planned."""
    stage.github.double.open_pull(7, HEAD)
    platform, story = published(stage.job())
    first = replace(story, check=check(*(finding(index) for index in range(70))))
    for told in (first, replace(first, plan=plan())):
        platform.check(told)
        platform.comment(told)


def deployed(stage: Stage) -> None:
    """A tag is deployed over another one."""
    stage.github.double.open_pull(7, HEAD, merged=MERGED)
    for run, operation in ((100, OPERATION), (101, OPERATION.replace("98c4", "98c5"))):
        platform, story = published(stage.job({}, name="push", run=run))
        begun = replace(story, start=start(operation))
        for told in (begun, replace(begun, end=ended(operation=operation))):
            platform.deployment(told)
            platform.comment(told)


def outcome(stage: Stage) -> Any:
    """Return what people see, without the numbers."""
    double = stage.github.double
    notes = [[note["start_line"] for note in double.notes[run["id"]]] for run in double.checks]
    runs = [(run["name"], run["conclusion"], run["output"]["title"], run["output"]["text"]) for run in double.checks]
    return stage.comments, runs, notes, stage.states


SCENES: Final[dict[str, Scene]] = {"checked": checked, "deployed": deployed}


def rehearsed(scene: Scene, folder: Path) -> tuple[list[tuple[str, str, int]], Any]:
    """Return the calls and the outcome of a scene in which nothing fails."""
    with serve() as server:
        stage = Stage(server, folder)
        scene(stage)
        assert server.violations == []
        return server.calls, outcome(stage)


def chosen(calls: list[tuple[str, str, int]], kind: Kind) -> list[int]:
    """Return which calls fail: all writes, and some reads. A read whose answer is lost is a read that failed."""
    reads = [index for index, (method, _, _) in enumerate(calls) if method == "GET"]
    writes = [index for index in range(len(calls)) if index not in reads]
    if kind != "before":
        return writes
    some = random.Random(int(os.environ.get("IKOMA_SEED", "1"))).sample(reads, min(6, len(reads)))
    return sorted([*writes, *(reads if os.environ.get("IKOMA_LONG") else some)])


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("kind", ["before", "after", "drop"])
def test_a_failure_at_any_call_changes_nothing_of_what_people_see(name: str, kind: Kind, tmp_path: Path) -> None:
    calls, wanted = rehearsed(SCENES[name], tmp_path)
    assert any(method == "POST" for method, _, _ in calls)
    for index in chosen(calls, kind):
        method, path, _ = calls[index]
        with serve() as server:
            stage = Stage(server, tmp_path)
            server.faults.append(Fault(kind, at=index))
            SCENES[name](stage)
            assert outcome(stage) == wanted, f"{kind} at call {index}: {method} {path}"
            assert server.faults[0].at < 0, "it struck"
            assert server.violations == []


@pytest.mark.parametrize("kind", ["secondary", "primary"])
def test_a_limit_is_waited_for_as_long_as_github_says(github: Server, stage: Stage, kind: Kind) -> None:
    github.faults.append(Fault(kind, method="POST", path="comments", seconds=30))
    checked(stage)
    assert len(stage.comments) == 1
    (waited,) = stage.waited
    assert 28 <= waited <= 32


def test_a_limit_that_lasts_too_long_is_not_waited_for(github: Server, stage: Stage) -> None:
    github.faults.append(Fault("primary", times=99, seconds=3000))
    platform, story = published(stage.job())
    with pytest.raises(IkomaError) as caught:
        platform.comment(replace(story, check=check()))
    assert caught.value.id == "github.limited"
    assert stage.waited == []


def test_an_answer_that_is_no_json_is_a_failure_like_others(github: Server, stage: Stage) -> None:
    github.faults.append(Fault("html", times=2))
    checked(stage)
    assert len(stage.comments) == 1


def test_github_is_asked_a_bounded_number_of_times(github: Server, stage: Stage) -> None:
    github.faults.append(Fault("before", times=999))
    platform, story = published(stage.job())
    with pytest.raises(IkomaError) as caught:
        platform.comment(replace(story, check=check()))
    assert caught.value.id == "github.refused"
    assert 3 <= len(github.calls) <= 9


class Slow:
    """A GitHub that answers nothing until it is let go."""

    def __init__(self) -> None:
        self.answered, self._go = 0, threading.Event()

    def __call__(self, method: str, path: str) -> None:
        self._go.wait(30)
        self.answered += 1

    def let_go(self) -> None:
        self._go.set()


def test_a_deployment_never_waits_for_github(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD, merged=MERGED)
    github.before = slow = Slow()
    job = stage.job({}, name="push")
    job.started(start())
    job.finished(ended())
    assert slow.answered == 0
    slow.let_go()
    assert job.close() == []
    assert stage.states[OPERATION][-1] == "success"


def test_closing_gives_up_in_time(github: Server, stage: Stage) -> None:
    github.double.open_pull(7, HEAD)
    github.before = slow = Slow()
    job = stage.job()
    job.findings(check())
    assert job.close(0.5)
    assert slow.answered == 0
    slow.let_go()
    assert "is missing on GitHub" in stage.log.getvalue()
