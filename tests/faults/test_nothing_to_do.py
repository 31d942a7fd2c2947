"""A second run with nothing changed does nothing."""

from pathlib import Path

from tests.faults.app import App
from tests.faults.lab import Lab


def test_a_second_run_builds_migrates_and_restarts_nothing(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "noop", {"0001_init": "create table t (id int);"})
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    containers = lab.containers(app.name)
    second = lab.deploy(app.repo)
    assert second.code == 0, second
    result = second.json
    assert result["status"] == "HEALTHY"
    assert result["release"] == first.json["release"]
    assert not any(image["built"] for image in result["images"].values()), result["images"]
    assert result["migrations"]["applied"] == []
    assert {service["action"] for service in result["services"].values()} == {"unchanged"}
    assert lab.containers(app.name) == containers


def test_a_changed_value_restarts_only_the_service_that_uses_it(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "values")
    app.write("one")
    assert lab.deploy(app.repo).code == 0
    before = {service: identity for identity, service in lab.containers(app.name).items()}
    values = tmp_path / "new.env"
    values.write_text("APP_SECRET=a-new-value-for-web\n")
    pushed = lab.bridge("env", "push", "--app", app.name, "--file", str(values))
    assert pushed.code == 0, pushed
    again = lab.deploy(app.repo)
    assert again.code == 0, again
    after = {service: identity for identity, service in lab.containers(app.name).items()}
    assert after["web"] != before["web"]
    assert after["jobs"] == before["jobs"]


def test_two_deployments_of_one_target_take_turns(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "turns")
    app.write("one")
    lab.fault(sleep_at={"roll-out:before": 6})
    first = lab.start("pipeline", "run", "--repo", str(app.repo), "--json")
    operation = lab.wait_until_running(app.name)
    refused = lab.deploy(app.repo, "--if-busy", "refuse")
    assert refused.code == 1, refused
    assert operation in refused.json["error"]["message"], refused
    waited = lab.deploy(app.repo, "--if-busy", "wait")
    assert waited.code == 0, waited
    assert first.wait(timeout=60) == 0
    for stream in (first.stdout, first.stderr):
        if stream:
            stream.close()
