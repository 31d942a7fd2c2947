"""Connections cut at random moments: every event arrives once, in order, and the operation does not care."""

import os
import random
import socket
import time
from typing import Any

import pytest

from agent.model.names import new_operation
from agent.protocol import Body
from tests.fixtures.operations.house import House, collect, cut

CUTS = 200 if os.environ.get("IKOMA_LONG") else 20


def test_a_client_cut_again_and_again_has_every_event_once_in_order(house: House) -> None:
    seed = os.environ.get("IKOMA_SEED", "1")
    chance, cuts, operations = random.Random(seed), 0, 0
    while cuts < CUTS:
        operation, seen = new_operation(), []  # type: tuple[str, list[dict[str, Any]]]
        operations += 1
        while not (seen and seen[-1]["kind"] == "end"):
            seen += _once(house, operation, len(seen), chance)
            cuts += 1
        assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1)), f"seed {seed}"
        assert seen[-1]["data"]["status"] == "HEALTHY", seen[-1]
        assert len(seen) == 9 + 3 * 30
    counter = (house.paths.apps / "shop/counter").read_text().splitlines()
    assert len(counter) == 3 * operations


def test_a_worker_does_not_wait_for_a_client_that_stopped_reading(house: House) -> None:
    operation = new_operation()
    call = house.deploying(operation, chatter=400)  # more than a pipe holds
    house.wait_for(operation, "end", 60)
    assert collect(call).end["status"] == "HEALTHY"


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_follower_whose_client_is_gone_ends_by_itself(house: House, kind: str) -> None:
    hold, operation = house.hold(), new_operation()
    running = house.deploying(operation, hold=True)
    house.wait_for(operation, "step")
    ours, theirs = map(os.fdopen, os.pipe(), "rw") if kind == "pipe" else socket.socketpair()
    follower = house.raw(f"v1 attach {operation} after=0", b"", stdout=theirs.fileno())
    theirs.close()
    assert os.read(ours.fileno(), 1)
    ours.close()  # nothing is printed to it from here on
    assert follower.wait(timeout=30) == 0
    assert house.operation(operation).status == "RUNNING"
    hold.unlink()
    assert collect(running).end["status"] == "HEALTHY"
    follower.communicate()


def test_an_upload_that_is_cut_leaves_nothing(house: House) -> None:
    operation = new_operation()
    body = Body(app="shop", bundle_length=1000, bundle_sha256="0" * 64)
    answer = collect(house.raw(f"v1 test.deploy {operation}", body.encode() + b"half"))
    assert answer.error == "wire.body"
    assert list(house.paths.incoming.iterdir()) == []
    assert house.attach(operation).error == "wire.unknown_operation"


def _once(house: House, operation: str, after: int, chance: random.Random) -> list[dict[str, Any]]:
    """Start or attach, listen for a while, cut; return the new events. An unknown operation is started again.

    Three cuts in four come after the hello, the others at any moment, also before the request was read.
    """
    process = house.call(f"v1 attach {operation} after={after}") if after else house.deploying(operation, chatter=30)
    if chance.random() < 0.75 and process.stdout is not None:
        process.stdout.readline()
    time.sleep(chance.uniform(0, 0.15))
    return [line for line in cut(process) if line["t"] in ("event", "end") and line["seq"] > after]
