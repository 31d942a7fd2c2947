"""Workers and doors killed at random while several operations want the same targets: the journal stays whole."""

import contextlib
import os
import random
import signal
import sqlite3
import time

from agent.host import history
from agent.model.names import new_operation
from agent.operations.journal import Journal, Operation
from agent.operations.lock import OperationLock
from agent.protocol import TERMINAL
from tests.fixtures.operations.house import House

ROUNDS = 60 if os.environ.get("IKOMA_LONG") else 12
APPS = ("shop", "blog")


def kill_worker(house: House, operation: str) -> bool:
    """Kill the worker of an operation; say whether there was one."""
    pid = OperationLock(house.paths, operation).signed_by()
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def kill_at_once(house: House, operation: str) -> None:
    """Kill the worker of an operation as soon as it signs its lock."""
    deadline = time.monotonic() + 60
    while not kill_worker(house, operation):
        assert time.monotonic() < deadline, "no worker came"
        time.sleep(0.005)


def settled(house: House, operations: list[str]) -> bool:
    with Journal(house.paths) as journal:
        found = [journal.find(operation) for operation in operations]
    return all(one is None or one.status in TERMINAL for one in found)


def settle(house: House, operations: list[str]) -> None:
    for _ in range(30):
        if settled(house, operations):
            return
        assert house.local("recover").returncode == 0
        time.sleep(0.1)
    raise AssertionError("something never ended")


def _all(house: House, app: str) -> list[Operation]:
    with Journal(house.paths) as journal:
        return journal.latest(app, 1000)


def test_whatever_is_killed_every_operation_ends_once_and_no_target_is_left_between_two(house: House) -> None:
    seed = os.environ.get("IKOMA_SEED", "1")
    chance, operations, calls = random.Random(seed), [new_operation()], []
    for _ in range(ROUNDS):
        calls.append(house.deploying(operations[-1], app=chance.choice(APPS), chatter=60))
        if chance.random() < 0.5:
            house.wait_for(operations[-1], "accepted")
            time.sleep(chance.uniform(0, 0.4))
            kill_worker(house, chance.choice(operations[-3:]))
        if chance.random() < 0.3:
            chance.choice(calls[-3:]).kill()
        operations.append(new_operation())
    calls.append(house.deploying(operations[-1], app=chance.choice(APPS), chatter=2000))
    house.wait_for(operations[-1], "accepted")
    kill_at_once(house, operations[-1])  # by chance alone every kill may come too late
    for call in calls:
        call.communicate(timeout=120)
    settle(house, operations)
    with Journal(house.paths) as journal:
        for operation in operations:
            events = journal.events(operation)
            assert [event.seq for event in events] == list(range(1, len(events) + 1)), f"seed {seed}"
            assert [event.kind for event in events].count("end") == (1 if events else 0)
    for app in APPS:
        effects = house.effects(app)
        assert len(set(effects.values())) <= 1, (seed, effects)
        assert set(effects) in (set(), {"prepare", "roll-out", "commit"}), (seed, effects)
        healthy = [one.id for one in _all(house, app) if one.status == "HEALTHY"]
        assert set(effects.values()) <= set(healthy), (seed, effects)
        assert bool(effects) == bool(healthy), (seed, effects)
    statuses = {operation.status for app in APPS for operation in _all(house, app)}
    assert statuses >= {"HEALTHY", "INTERRUPTED"}, f"seed {seed}: {statuses}"
    assert history.verify(house.paths).ok
    db = sqlite3.connect(house.paths.journal)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
