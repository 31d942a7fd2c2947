"""kill -9 of the worker at random moments while users ask, then of the proxy and of the engine: all comes back."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.app import App
from tests.faults.lab import Lab, Ran

TRIES = 5
BACK_WITHIN = 120.0
PROXY = "kill -9 $(docker inspect --format '{{.State.Pid}}' ikoma-proxy)"
ENGINE = "kill -9 $(cat /var/run/docker.pid)"


def deployed(ran: Ran) -> None:
    assert (ran.code, ran.json["status"]) == (0, "HEALTHY"), ran


def killed(lab: Lab, app: App, after: float) -> bool:
    """Deploy and kill the worker so many seconds after it was seen; say whether it was still alive."""
    client = lab.start("pipeline", "run", "--repo", str(app.repo), "--json")
    operation = lab.wait_until_running(app.name)
    time.sleep(after)
    said = lab.inside("sh", "-c", f"kill -9 $(cat /var/lib/ikoma/locks/op-{operation}.lock) && echo hit", check=False)
    client.communicate(timeout=180)
    lab.wait_until_idle(app.name)
    return "hit" in said


def whole(lab: Lab, app: App, containers: int) -> None:
    """One release, complete, as it was recorded, and nothing beside it."""
    assert len(lab.all_containers(app.name)) == containers
    assert sorted(lab.containers(app.name).values()) == ["jobs", "web"]
    verified = lab.bridge("call", "artifact.verify_release", "--app", app.name, "--json")
    assert verified.json["verified"] is True, verified


def eventually(what: str, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BACK_WITHIN
    while not reached():
        assert time.monotonic() < deadline, f"{what}: not within {BACK_WITHIN:.0f} s"
        time.sleep(0.3)


def serves(lab: Lab, app: App, version: str) -> bool:
    try:
        return lab.ask(app.host, timeout=3) == (200, version)
    except (OSError, http.client.HTTPException):
        return False


def test_killed_workers_a_killed_proxy_and_a_killed_engine_leave_one_whole_release(
    lab: Lab, tmp_path: Path, chance: random.Random, long: bool
) -> None:
    app = App(tmp_path, "kill-at-random")
    app.write("first")
    ran = lab.deploy(app.repo)
    deployed(ran)
    span, wanted, hits = float(ran.json["seconds"]), 30 if long else 2, 0
    for number in range(TRIES * wanted):
        app.write(f"version {number}")
        with lab.asking(app.host) as answers:
            hits += killed(lab, app, chance.uniform(0, span))
            whole(lab, app, 2)
            deployed(lab.deploy(app.repo))
        assert answers.failures == []
        assert answers.bodies[-1] == f"version {number}"
        whole(lab, app, 2)
        if hits == wanted:
            break
    assert hits == wanted, "the workers were quicker than we"
    for victim in (PROXY, ENGINE):
        lab.inside("sh", "-c", victim)
        eventually("the route answers again", lambda: serves(lab, app, f"version {number}"))
        eventually("both run again", lambda: sorted(lab.containers(app.name).values()) == ["jobs", "web"])
        whole(lab, app, 2)
        assert lab.bridge("status", "--app", app.name, "--json").json["status"] == "HEALTHY"
