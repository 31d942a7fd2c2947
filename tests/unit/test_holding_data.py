"""A service that holds data, from the record to the roll-out and back: what is written down, started and stopped."""

from __future__ import annotations

from typing import Any

import pytest

from agent.model.release import Release
from agent.releases import health, plan, prepare, rollout, undo
from agent.releases.observe import Observed
from agent.releases.plan import Move, Plan
from agent.releases.prepare import Prepared

IMAGE = "registry.example/db@sha256:" + "a" * 64


def prepared(*services: str) -> Prepared:
    definition = {name: {"image": IMAGE, "networks": {}} for name in services}
    release = Release.model_validate({
        "app": "shop", "environment": "production", "platform": "linux/amd64", "compose": {"services": definition},
        "services": {name: {"image": IMAGE, "kind": "stateful"} for name in services},
    })  # fmt: skip
    return Prepared(release, {"services": definition}, dict.fromkeys(services, "new"), (), {})


def container(name: str, service: str, digest: str) -> Observed:
    return Observed(name, name, service, digest, IMAGE, "running")


def test_what_stays_is_recorded_as_it_is_and_known_to_the_next_deployment() -> None:
    moves = (
        Move("db", "stateful", "started", "held", keep=("a",), wake=("a",)),
        Move("queue", "stateful", "started", "again", keep=("b",), wake=("b",)),
        Move("cache", "stateful", "unchanged", "left", keep=("c",)),
        Move("cron", "", "removed", old=("d",)),
    )
    there = [container("a", "db", "old"), container("b", "queue", "new"), container("c", "cache", "older")]
    found = rollout.recorded(Plan(moves), prepared("db", "queue"), there, {})
    assert found["db"] == {"hash": "old", "replicas": 1}
    assert found["queue"] == {"hash": "new", "replicas": 1}
    assert found["cache"] == {"image": IMAGE, "tag": "", "kind": "stateful", "hash": "older", "replicas": 1}
    assert set(found) == {"db", "queue", "cache"}
    assert prepare.holding_data(found) == {"cache": 1}
    again = plan.make(prepared("db", "queue").desired, there, data=prepare.holding_data(found))
    assert [(move.service, move.how) for move in again.moves][-1] == ("cache", "left")


def test_names_are_given_as_replace() -> None:
    assert prepare.replaceable(["replace:db", "empty:pg", "0014_drop_old"]) == {"db"}


class Engine:
    """An engine that writes down whom it was asked to start and to stop."""

    def __init__(self, running: set[str]) -> None:
        self.running, self.asked = running, list[tuple[str, str]]()

    def container(self, container: str) -> dict[str, Any]:
        return {"State": {"Running": container in self.running}}

    def start(self, container: str) -> None:
        self.asked.append(("start", container))

    def stop(self, container: str, _grace: float) -> None:
        self.asked.append(("stop", container))


def test_who_slept_before_a_roll_out_that_failed_sleeps_again() -> None:
    engine = Engine({"woken", "awake", "other"})
    before = [{"id": "woken", "running": False}, {"id": "still", "running": False}, {"id": "awake", "running": True},
              {"id": "other", "running": False}]  # fmt: skip
    undo._rest(engine, before, {"woken", "still", "awake"})  # type: ignore[arg-type]
    assert engine.asked == [("stop", "woken")]


def test_who_is_woken_is_noted_before_and_proves_itself_if_the_release_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    class Site:
        engine = Engine(set())

    def gate(_engine: Any, checks: list[Any], *_: Any, **__: Any) -> None:
        told.append(("gate", [check.service for check in checks]))

    monkeypatch.setattr(health, "gate", gate)
    monkeypatch.setattr(Site.engine, "start", lambda container: told.append(("start", container)))
    moves = (
        Move("db", "stateful", "started", "held", keep=("a",), wake=("a",)),
        Move("cache", "stateful", "started", "left", keep=("c",), wake=("c",)),
    )
    work = rollout.RollOut(
        Site(), prepared("db"), Plan(moves), None,  # type: ignore[arg-type]
        lambda **facts: told.append(facts), lambda _text: None, lambda text: text,  # type: ignore[arg-type]
    )  # fmt: skip
    work._stateful()
    assert [item for item in told if item != {"stopping": []}] == [
        {"waking": ["a", "c"]}, ("start", "a"), ("start", "c"), ("gate", ["db"]),
    ]  # fmt: skip
    assert work.serving == {"db": ["a"], "cache": ["c"]}
