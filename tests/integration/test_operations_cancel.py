"""An operation that hangs is ended: asked, then killed, then taken back; by whom it is allowed alone."""

import os
import signal
import subprocess

from agent.model.names import new_operation
from agent.operations import cancel, recovery
from agent.operations.lock import OperationLock
from agent.protocol import Body
from tests.fixtures.operations.house import House, collect
from tests.fixtures.operations.index import INDEX


def hanging(house: House) -> tuple[str, subprocess.Popen[bytes]]:
    """Start a deployment that waits inside its first step."""
    house.hold()
    operation = new_operation()
    process = house.deploying(operation, hold=True)
    house.wait_for(operation, "step")
    return operation, process


def test_a_worker_that_hears_takes_back_what_it_began_and_says_why(house: House) -> None:
    house.deploy()
    operation, process = hanging(house)
    answer = house.ask("v1 operations.cancel", Body(args={"operation": operation}))
    assert answer.result["cancelled"] is True
    assert answer.result["status"] == "FAILED"
    end = collect(process).end
    assert end["result"]["error"]["id"] == "operation.cancelled"
    assert house.ask("v1 operations.cancel", Body(args={"operation": operation})).result["cancelled"] is False
    (house.paths.apps / "shop/hold").unlink()
    assert house.deploy().end["status"] == "HEALTHY"


def test_a_worker_that_does_not_hear_is_killed_and_recovered(house: House) -> None:
    operation, process = hanging(house)
    pid = OperationLock(house.paths, operation).signed_by()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    found = cancel.cancel(house.paths, operation, lambda: recovery.ensure_all(house.paths, INDEX), patience=0.5)
    assert found.status == "INTERRUPTED"
    assert collect(process).end["status"] == "INTERRUPTED"


def test_whoever_may_not_act_on_the_app_cannot_end_its_operations(house: House) -> None:
    house.grant("blogger", "builder", apps="blog")
    house.grant("eye", "observer")
    operation, process = hanging(house)
    asked = Body(args={"operation": operation})
    assert house.ask("v1 operations.cancel", asked, key="blogger").error == "wire.foreign_app"
    assert house.ask("v1 operations.cancel", asked, key="eye").error == "wire.forbidden"
    (house.paths.apps / "shop/hold").unlink()
    assert collect(process).end["status"] == "HEALTHY"
