"""kill -9 of the worker in every step, before and after its effect: the old release or the new one, never a mix."""

from pathlib import Path

import pytest

from tests.faults.app import App
from tests.faults.lab import Lab

STEPS = ("preflight", "pull", "prove", "restore-point", "migrate", "roll-out", "health", "commit", "retire")
MOMENTS = [f"{step}:{side}" for step in STEPS for side in ("before", "after")]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_killed_at_any_moment_leaves_one_whole_release(lab: Lab, tmp_path: Path, moment: str) -> None:
    app = App(tmp_path, f"kill-{moment.replace(':', '-')}", {"0001_init": "create table t (id int);"})
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    app.migrations["0002_more"] = "alter table t add column note text;"
    app.write("two")
    lab.fault(die_at=moment, once=True)
    try:
        with lab.asking(app.host) as answers:
            killed = lab.deploy(app.repo)
            status = lab.wait_until_idle(app.name)
    finally:
        lab.fault()
    assert killed.json["status"] in ("INTERRUPTED", "HEALTHY"), killed
    assert answers.failures == [], killed
    assert set(answers.bodies) <= {"one", "two"}
    served = lab.ask(app.host)[1]
    assert {"one": first.json["release"]}.get(served, status["release"]) == status["release"], status
    services = sorted(lab.containers(app.name).values())
    assert services == ["jobs", "web"], services
    assert lab.lock_is_free(app.name)
    again = lab.deploy(app.repo)
    assert again.code == 0, again
    assert again.json["status"] == "HEALTHY"
    assert lab.ask(app.host) == (200, "two")
    assert len(lab.all_containers(app.name)) == 2
