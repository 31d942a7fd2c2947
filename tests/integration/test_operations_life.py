"""One operation from its request to its end, through the real program and real pipes."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from agent.model.names import Target, new_operation
from agent.operations.lock import HOUSEKEEPING, Holder, TargetLock
from agent.protocol import Body, Credentials
from tests.fixtures.operations.house import SHOP, House, collect, tar, with_bundle

STEPS = ["prepare", "roll-out", "commit"]


def test_a_deployment_tells_every_step_in_order_and_ends_once(house: House) -> None:
    answer = house.deploy(release="r-0123456789ab")
    assert [e["kind"] for e in answer.events] == ["accepted", "started", *["step"] * 6, "end"]
    assert answer.steps() == [f"{step} {status}" for step in STEPS for status in ("started", "done")]
    assert [e["seq"] for e in answer.events] == list(range(1, 10))
    assert answer.code == 0


def test_the_result_has_the_documented_shape(house: House) -> None:
    house.paths.target(SHOP).base.mkdir()
    house.paths.target(SHOP).current.write_text('{"release": "r-000000000001"}')
    operation = new_operation()
    result = house.deploy(operation, release="r-0123456789ab").end["result"]
    assert {name: result[name] for name in ("status", "message", "app", "environment", "release", "previous")} == {
        "status": "HEALTHY",
        "message": "Deployment validated by health check",
        "app": "shop",
        "environment": "production",
        "release": "r-0123456789ab",
        "previous": "r-000000000001",
    }
    assert result["operation"] == operation
    assert [(s["name"], s["status"], s["detail"]) for s in result["steps"]] == [(s, "done", f"did {s}") for s in STEPS]
    assert result["error"] is None
    assert result["services"] == {}
    assert result["migrations"] == {"applied": [], "pending": []}
    assert result["seconds"] >= 0
    assert result["roll_out"] is True  # what a step adds is merged


def test_french_operations_speak_french(house: House) -> None:
    answer = house.ask(f"v1 test.deploy {new_operation()}", Body(app="shop", lang="fr"))
    assert answer.end["result"]["message"] == "Déploiement validé par healthcheck"


@pytest.mark.parametrize(
    ("step", "status", "code"),
    [("prepare", "FAILED", 11), ("roll-out", "ROLLED_BACK", 10), ("commit", "ROLLED_BACK", 10)],
)
def test_a_failing_step_takes_everything_back_in_reverse(house: House, step: str, status: str, code: int) -> None:
    answer = house.deploy(fail=step)
    begun = STEPS[: STEPS.index(step) + 1]
    assert answer.end["status"] == status
    assert answer.code == code
    assert [s for s in answer.steps() if s.endswith("undone")] == [f"{s} undone" for s in reversed(begun)]
    assert answer.end["result"]["error"]["id"] == "process.failed"
    assert answer.end["result"]["error"]["step"] == step
    statuses = [s["status"] for s in answer.end["result"]["steps"]]
    assert statuses == ["undone"] * (len(begun) - 1) + ["failed"]
    assert house.effects() == {}


def test_a_failure_after_commit_is_a_warning_and_changes_nothing(house: House) -> None:
    answer = house.deploy(retire=True, fail="retire")
    assert answer.end["status"] == "HEALTHY"
    assert [w["id"] for w in answer.end["result"]["warnings"]] == ["operation.after_commit"]
    assert set(house.effects()) == {"prepare", "roll-out", "commit", "retire"}


def test_an_unforeseen_exception_shows_a_reference_and_keeps_its_text_for_the_log(house: House) -> None:
    body = Body(app="shop", args={"crash": "roll-out", "value": "hunter2-secret"})
    answer = house.ask(f"v1 test.secret {new_operation()}", body)
    error = answer.end["result"]["error"]
    assert error["id"] == "wire.internal"
    assert error["params"]["kind"] == "ZeroDivisionError"
    log = (house.paths.log / "agent.log").read_text()
    assert error["params"]["reference"] in log
    assert "ZeroDivisionError" in log
    assert "hunter2" not in log + json.dumps(answer.lines)


def test_the_same_operation_sent_again_is_followed_not_repeated(house: House) -> None:
    operation = new_operation()
    first = house.deploy(operation, release="r-1")
    again = house.deploy(operation, release="r-1")
    assert again.events == first.events
    counter = (house.paths.target(SHOP).base / "counter").read_text()
    assert counter.count(operation) == 3


def test_the_same_operation_sent_five_times_at_once_runs_once(house: House) -> None:
    operation = new_operation()
    calls = [house.deploying(operation, chatter=5) for _ in range(5)]
    answers = [collect(call) for call in calls]
    assert all(answer.events == answers[0].events for answer in answers)
    assert (house.paths.target(SHOP).base / "counter").read_text().count("commit") == 1


def test_an_operation_id_is_refused_for_another_request(house: House) -> None:
    operation = new_operation()
    house.deploy(operation, release="r-1")
    assert house.deploy(operation, release="r-2").error == "wire.operation_reused"
    assert house.deploy(operation, app="other", release="r-1").error == "wire.operation_reused"
    assert house.ask(f"v1 test.build {operation}", Body(app="shop", args={"release": "r-1"})).error == (
        "wire.operation_reused"
    )


def test_a_request_its_capability_refuses_leaves_no_trace(house: House) -> None:
    operation = new_operation()
    assert house.deploy(operation, misuse=True).error == "wire.bad_request"
    assert house.attach(operation).error == "wire.unknown_operation"
    assert list(house.paths.incoming.iterdir()) == []


def test_nothing_to_do_ends_at_once_without_a_worker(house: House) -> None:
    answer = house.deploy(unchanged=True)
    assert [e["kind"] for e in answer.events] == ["accepted", "end"]
    assert answer.end["result"]["release"] == "r-000000000000"
    assert answer.end["result"]["message"] == "Deployment validated by health check"
    assert house.effects() == {}


def test_attach_replays_from_any_event(house: House) -> None:
    operation = new_operation()
    whole = house.deploy(operation).events
    for after in (0, 3, len(whole) - 1):
        assert house.attach(operation, after).events == whole[after:]
    beyond = house.attach(operation, len(whole))
    assert beyond.events == []
    assert beyond.code == 0


def test_a_second_deployment_waits_and_says_for_whom(house: House) -> None:
    first, second = new_operation(), new_operation()
    hold = house.hold()
    running = house.deploying(first, hold=True)
    house.wait_for(first, "started")
    waiter = house.deploying(second)
    house.wait_for(second, "waiting")
    hold.unlink()
    answer = collect(waiter)
    collect(running)
    waiting = next(e["data"] for e in answer.events if e["kind"] == "waiting")
    assert waiting["holder"] == first
    assert waiting["client"] == {"run_url": "https://ci.example/1"}
    assert waiting["since"] <= house.operation(second).created
    assert answer.end["status"] == "HEALTHY"
    assert house.effects()["commit"] == second


def test_a_second_deployment_is_refused_when_it_asks_for_that(house: House) -> None:
    first = new_operation()
    hold = house.hold()
    running = house.deploying(first, hold=True)
    house.wait_for(first, "started")
    answer = house.deploy(on_busy="refuse")
    hold.unlink()
    error = answer.end["result"]["error"]
    assert answer.end["status"] == "FAILED"
    assert answer.end["result"]["message"] == "shop: not begun; nothing was changed"
    assert error["id"] == "operation.busy"
    assert first in error["message"]
    assert "https://ci.example/1" in error["message"]
    assert collect(running).end["status"] == "HEALTHY"


def test_deployments_that_wait_go_in_the_order_they_came(house: House) -> None:
    operations = [new_operation() for _ in range(3)]
    hold = house.hold()
    calls = [house.deploying(operations[0], hold=True)]
    house.wait_for(operations[0], "started")
    for operation in operations[1:]:
        calls.append(house.deploying(operation))
        house.wait_for(operation, "waiting")
    hold.unlink()
    assert all(collect(call).code == 0 for call in calls)
    commits = [line.split()[0] for line in _counter(house) if line.endswith("commit")]
    assert commits == operations


def test_another_target_is_never_held_up(house: House) -> None:
    first = new_operation()
    hold = house.hold()
    running = house.deploying(first, hold=True)
    house.wait_for(first, "started")
    assert house.deploy(app="other").end["status"] == "HEALTHY"
    assert house.operation(first).status == "RUNNING"
    hold.unlink()
    collect(running)


def test_the_target_is_free_for_whoever_sees_the_end(house: House) -> None:
    for _ in range(5):
        assert house.deploy(on_busy="refuse").end["status"] == "HEALTHY"
    assert TargetLock(house.paths, SHOP).take(Holder("probe"))


def test_six_targets_at_once_write_one_journal(house: House) -> None:
    calls = [house.deploying(app=f"app-{number}", chatter=20) for number in range(6)]
    answers = [collect(call) for call in calls]
    assert {answer.end["status"] for answer in answers} == {"HEALTHY"}
    assert {len(answer.events) for answer in answers} == {9 + 3 * 20}


def test_status_names_the_running_operation_and_its_step(house: House) -> None:
    operation = new_operation()
    hold = house.hold()
    running = house.deploying(operation, hold=True)
    house.wait_for(operation, "step")
    found = house.ask("v1 status.get", Body(app="shop")).result["operation"]
    hold.unlink()
    collect(running)
    assert found["id"] == operation
    assert found["capability"] == "test.deploy"
    assert found["step"] in STEPS
    assert found["client"] == {"run_url": "https://ci.example/1"}
    assert house.ask("v1 status.get", Body(app="shop")).result["operation"] is None


def test_the_history_of_a_target_is_listed_newest_first(house: House) -> None:
    house.deploy(release="r-1")
    house.deploy(fail="prepare")
    listed = house.ask("v1 operations.list", Body(app="shop", args={"limit": 5})).result["operations"]
    assert [(one["status"], one["error"]) for one in listed] == [("FAILED", "process.failed"), ("HEALTHY", None)]


def test_a_bundle_reaches_the_steps_and_is_gone_afterwards(house: House) -> None:
    bundle = tar({"release.json": b"{}", "migrations/0001_a.sql": b"select 1"})
    operation = new_operation()
    hold = house.hold()
    call = house.call(f"v1 test.deploy {operation}", with_bundle(bundle, hold=True), bundle)
    house.wait_for(operation, "step")
    folder = house.paths.incoming / operation
    assert (folder / "migrations/0001_a.sql").read_bytes() == b"select 1"
    hold.unlink()
    assert collect(call).end["status"] == "HEALTHY"
    assert list(house.paths.incoming.iterdir()) == []


def test_a_bundle_cut_short_or_altered_changes_nothing(house: House) -> None:
    bundle, operation = tar({"release.json": b"{}"}), new_operation()
    for sent in (bundle[:-1], b"x" + bundle[1:]):
        answer = house.ask(f"v1 test.deploy {operation}", with_bundle(bundle), sent)
        assert answer.error == "wire.body"
    assert house.attach(operation).error == "wire.unknown_operation"
    assert list(house.paths.incoming.iterdir()) == []


def test_secrets_are_nowhere_on_disk_nor_in_any_output(house: House) -> None:
    secrets = ["p%40ss w'ord\"#1", "t0ken@registry value"]
    body = Body(
        app="shop",
        args={"value": secrets[1], "crash": "commit"},
        credentials=Credentials("registry:5000", "ci", secrets[0]),
    )
    answer = house.ask(f"v1 test.secret {new_operation()}", body)
    assert answer.end["status"] == "ROLLED_BACK"
    assert "logs in with ***" in json.dumps(answer.lines)
    house.local("status")
    for secret in secrets:
        assert secret not in json.dumps(answer.lines, ensure_ascii=False) + answer.stderr
        assert _files_with(house.paths.root, secret) == []


def test_the_local_door_does_the_same_for_people(house: House) -> None:
    done = house.local("call", "test.deploy", "app=shop", "release=r-1")
    assert done.returncode == 0, done.stderr
    assert "commit done" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("HEALTHY Deployment validated by health check")
    failed = house.local("call", "test.deploy", "app=shop", "fail=prepare", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["id"] == "process.failed"
    again = house.local("attach", json.loads(failed.stdout)["operation"], "--json")
    assert json.loads(again.stdout) == json.loads(failed.stdout)
    assert house.local("status", "shop").stdout.startswith("shop")
    assert house.local("call", "nothing.here").returncode == 2


def test_a_selftest_proves_the_installation(house: House) -> None:
    done = house.local("selftest")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True


def _counter(house: House) -> list[str]:
    return (house.paths.target(Target("shop")).base / "counter").read_text().splitlines()


def _files_with(root: Path, text: str) -> list[str]:
    found = subprocess.run(["grep", "-rlaF", "--", text, str(root)], capture_output=True, text=True)
    return found.stdout.splitlines()


def test_one_that_must_not_wait_waits_for_housekeeping_all_the_same(house: House) -> None:
    lock, operation = TargetLock(house.paths, SHOP), new_operation()
    assert lock.take(Holder(HOUSEKEEPING, "reconcile"))
    call = house.deploying(operation, on_busy="refuse")
    house.wait_for(operation, "accepted")
    time.sleep(0.3)
    lock.release()
    answer = collect(call)
    assert answer.end["status"] == "HEALTHY"
    assert "waiting" not in [event["kind"] for event in answer.events]
