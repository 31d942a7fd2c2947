"""Who is started again, and what a status says of a target that is not as it was deployed."""

from __future__ import annotations

from typing import Any

import pytest

from agent.releases.observe import Observed
from agent.releases.reconcile import asleep, lost
from agent.releases.status import healthy, judge, told

RECORDED: dict[str, Any] = {
    "jobs": {"kind": "worker", "hash": "h1", "replicas": 1},
    "web": {"kind": "routed", "hash": "h2", "replicas": 2},
    "db": {"kind": "stateful", "hash": "h3", "replicas": 1},
    "seed": {"kind": "one-shot", "hash": "h4", "replicas": 1},
}


def item(name: str, service: str, digest: str, state: str = "exited", health: str = "") -> Observed:
    return Observed(name, name, service, digest, "i", state, health, 137 if state == "exited" else None)


def everything(state: str) -> list[Observed]:
    pairs = [("jobs", "h1"), ("web", "h2"), ("web", "h2"), ("db", "h3"), ("seed", "h4")]
    return [item(f"{service}-{at}", service, digest, state) for at, (service, digest) in enumerate(pairs)]


def test_all_that_stands_still_is_started_data_first_and_workers_last() -> None:
    assert [found.service for found in asleep(RECORDED, everything("exited"))] == ["db", "web", "web", "jobs"]


def test_what_runs_and_what_restarts_by_itself_is_left_alone() -> None:
    assert asleep(RECORDED, everything("running")) == []
    assert asleep(RECORDED, everything("restarting")) == []


def test_no_more_are_started_than_are_missed() -> None:
    old = item("old", "jobs", "h1")
    assert asleep({"jobs": RECORDED["jobs"]}, [old, item("new", "jobs", "h1", "running")]) == []
    assert asleep({"jobs": RECORDED["jobs"]}, [old, item("new", "jobs", "h1")]) == [item("new", "jobs", "h1")]


def test_a_container_of_another_release_is_not_started() -> None:
    assert asleep(RECORDED, [item("old", "web", "other")]) == []


def web(name: str, health: str = "healthy", digest: str = "h2", state: str = "running") -> Observed:
    return item(name, "web", digest, state, health)


@pytest.mark.parametrize(
    ("running", "live", "found"),
    [
        ([web("a"), web("b")], ["a", "b"], []),
        ([web("a"), web("b")], ["a"], ["b"]),
        ([web("a"), web("b")], [], ["a", "b"]),
        ([web("a", ""), web("b", "")], ["b"], ["a"]),
        ([web("a"), web("b", "starting")], ["a"], []),
        ([web("a"), web("b", "unhealthy")], [], ["a"]),
        ([web("a", "starting"), web("b", "starting")], [], ["a", "b"]),
        ([web("a"), web("b", digest="tried")], ["a"], []),
        ([web("a", digest="tried"), web("b", digest="tried")], [], []),
        ([web("a"), web("b"), web("c"), web("d")], ["a", "b"], []),
        ([web("a"), web("b"), web("c")], ["c"], ["a"]),
    ],
    ids=["all are found", "one of two is lost", "both are", "no health check", "one is not through its gate",
         "one is not well", "none is well and none is found", "of a release that is tried", "of no release we know",
         "fresh ones beside, or old ones that drain", "no more than there should be"],
)  # fmt: skip
def test_every_container_that_serves_and_lost_its_name_gets_it_back(
    running: list[Observed], live: list[str], found: list[str]
) -> None:
    assert [one.id for one in lost(RECORDED["web"], running, live)] == found


def test_a_service_without_one_of_its_containers_is_not_well() -> None:
    web = {"web": RECORDED["web"]}
    both = [item("a", "web", "h2", "running", "healthy"), item("b", "web", "h2", "running", "healthy")]
    assert judge(web, both)["web"]["state"] == "healthy"
    assert judge(web, [both[0], item("b", "web", "h2")])["web"]["state"] == "exited"
    assert judge(web, [both[0]])["web"]["state"] == "stopped"
    assert judge(web, [both[0], item("b", "web", "h2", "running", "unhealthy")])["web"]["state"] == "unhealthy"


def test_a_release_that_is_being_tried_does_not_spoil_the_state_of_the_one_that_serves() -> None:
    web = {"web": {"kind": "routed", "hash": "h2", "replicas": 1}}
    tried = item("new", "web", "h9", "running", "starting")
    assert judge(web, [tried, item("a", "web", "h2", "running", "healthy")])["web"]["state"] == "healthy"


def test_a_one_shot_that_was_cleared_away_is_missed_by_nobody() -> None:
    states = {"web": {"state": "healthy", "kind": "routed"}, "seed": {"state": "stopped", "kind": "one-shot"}}
    assert healthy(states) == "healthy"


@pytest.mark.parametrize(
    ("recorded", "state", "stopped", "status"),
    [
        (None, "stopped", False, None),
        ("HEALTHY", "healthy", False, "HEALTHY"),
        ("HEALTHY", "healthy", True, "HEALTHY"),
        ("HEALTHY", "starting", False, "DEGRADED"),
        ("HEALTHY", "unhealthy", False, "DEGRADED"),
        ("HEALTHY", "exited", False, "DEGRADED"),
        ("HEALTHY", "exited", True, "STOPPED"),
        ("HEALTHY", None, False, "UNKNOWN"),
    ],
)
def test_a_status_is_the_truth_of_this_moment(
    recorded: str | None, state: str | None, stopped: bool, status: str | None
) -> None:
    services = None if state is None else {"web": {"state": state, "kind": "routed"}}
    assert told(recorded, services, stopped) == status
