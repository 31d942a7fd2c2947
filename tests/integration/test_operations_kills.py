"""kill -9 of the worker at every boundary: the operation is settled by the call that watched it, or the next."""

import os
import signal
from pathlib import Path

import pytest

from agent.host.paths import Paths
from agent.model.names import new_operation
from agent.operations.lock import Holder, OperationLock, TargetLock
from agent.protocol import Body
from tests.fixtures.operations.house import SHOP, House, collect

STEPS = ("prepare", "roll-out", "commit")
BOUNDARIES = [f"{step}:{side}" for step in STEPS for side in ("before", "after")]


def is_free(paths: Paths) -> bool:
    lock = TargetLock(paths, SHOP)
    taken = lock.take(Holder("probe"))
    lock.release()
    return taken


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_worker_killed_before_its_commit_is_taken_back(house: House, boundary: str) -> None:
    house.arm(die_at=boundary, once=True)
    answer = house.deploy(release="r-1")
    assert answer.end["status"] == "INTERRUPTED"
    assert answer.code == 75
    assert house.effects() == {}
    assert is_free(house.paths)
    assert answer.end["result"]["error"]["id"] == "operation.interrupted"
    assert answer.end["result"]["error"]["step"] == boundary.partition(":")[0]
    assert [e["seq"] for e in answer.events] == list(range(1, len(answer.events) + 1))
    assert house.deploy(release="r-1").end["status"] == "HEALTHY"


@pytest.mark.parametrize("boundary", ["retire:before", "retire:after"])
def test_a_worker_killed_after_its_commit_is_taken_forward(house: House, boundary: str) -> None:
    house.arm(die_at=boundary, once=True)
    answer = house.deploy(retire=True)
    assert answer.end["status"] == "HEALTHY"
    assert {"step": "retire", "direction": "forward"} in [e["data"] for e in answer.events if e["kind"] == "recovered"]
    assert set(house.effects()) == {"prepare", "roll-out", "commit", "retire"}
    assert is_free(house.paths)


def test_a_kill_during_the_undo_is_settled_too(house: House) -> None:
    house.arm(die_at="roll-out:undo", once=True)
    answer = house.deploy(fail="commit")
    assert answer.end["status"] == "INTERRUPTED"
    assert house.effects() == {}


def test_the_next_call_of_anybody_settles_what_nobody_watched(house: House) -> None:
    hold, operation = house.hold(), new_operation()
    call = house.deploying(operation, hold=True)
    house.wait_for(operation, "step")
    call.kill()
    call.communicate()
    worker = OperationLock(house.paths, operation).signed_by()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    hold.unlink()
    assert house.ask("v1 status.get", Body(app="shop")).result["operation"] is None
    assert house.operation(operation).status == "INTERRUPTED"


def test_the_supervised_unit_settles_what_no_call_touches(house: House) -> None:
    hold, operation = house.hold(), new_operation()
    call = house.deploying(operation, hold=True)
    house.wait_for(operation, "step")
    call.kill()
    call.communicate()
    worker = OperationLock(house.paths, operation).signed_by()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    hold.unlink()
    assert house.local("recover").returncode == 0
    assert house.operation(operation).status == "INTERRUPTED"
    assert house.effects() == {}


def test_one_who_waited_settles_the_dead_before_it_begins(house: House) -> None:
    hold, first, second = house.hold(), new_operation(), new_operation()
    running = house.deploying(first, hold=True)
    house.wait_for(first, "step")
    waiter = house.deploying(second)
    house.wait_for(second, "waiting")
    worker = OperationLock(house.paths, first).signed_by()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    hold.unlink()
    assert collect(running).end["status"] == "INTERRUPTED"
    assert collect(waiter).end["status"] == "HEALTHY"
    assert set(house.effects().values()) == {second}


def test_an_operation_whose_door_died_before_it_began_ends_without_effect(house: House) -> None:
    first, second = new_operation(), new_operation()
    hold = house.hold()
    running = house.deploying(first, hold=True)
    house.wait_for(first, "step")
    waiter = house.deploying(second)
    house.wait_for(second, "waiting")
    worker = OperationLock(house.paths, second).signed_by()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    ended = collect(waiter)
    hold.unlink()
    assert ended.end["result"]["error"]["id"] == "operation.never_started"
    assert ended.end["result"]["steps"] == []
    assert collect(running).end["status"] == "HEALTHY"


def test_what_cannot_be_taken_back_yet_is_tried_again_and_blocks_the_target_meanwhile(house: House) -> None:
    base = house.paths.target(SHOP).base
    base.mkdir()
    (base / "stubborn").touch()
    house.arm(die_at="commit:before", once=True)
    operation = new_operation()
    call = house.deploying(operation, stubborn="roll-out")
    house.wait_for(operation, "warning")
    blocked = house.deploy()
    assert blocked.end["result"]["error"]["id"] == "operation.unsettled"
    (base / "stubborn").unlink()
    ended = collect(call)
    assert ended.end["status"] == "INTERRUPTED"
    assert "operation.undo_failed" in [w["id"] for w in ended.end["result"]["warnings"]]
    assert house.effects() == {}


def test_no_lock_file_of_an_operation_stays_behind(house: House, tmp_path: Path) -> None:
    house.deploy()
    house.arm(die_at="commit:after", once=True)
    house.deploy()
    assert [file.name for file in house.paths.locks.glob("op-*")] == []
