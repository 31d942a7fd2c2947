"""200 callers of the HTTP door at once, through the proxy, while a release is deployed."""

from __future__ import annotations

import http.client
import json
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.bench import paired
from tests.faults.app import App
from tests.faults.lab import Lab
from tests.rig import rig
from tests.rig import state as states
from tests.rig.commands import RigError

READS: Final = ("apps.releases", "apps.status", "operations.list", "policy.get", "status.get")
HELD: Final = 25
"""Seconds for which each deployment stands still before its roll-out, so that all reads fall into it."""


def measure(rounds: int, callers: int, seed: int) -> None:
    """Deploy ``rounds`` releases, ask during each, and write docs/results/doors.json.

    Raises RigError when a deployment fails, or ended before the last answer.
    """
    lab, chance = Lab(rig.environment(states.load(), rig.DEFAULT_HOST, "doors")), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        app = App(Path(folder), "bench", {"0001_init": "create table t (id int);"})
        app.write("first")
        _must(lab.deploy(app.repo).code, "the first deployment")
        try:
            measured = [_round(lab, app, number, callers, chance) for number in range(rounds)]
        finally:
            lab.fault()
            lab.remove({app.name})
    answers = [one for each in measured for one in each["answers"]]
    facts = {
        "how": "POST /execute/<read> from outside through the proxy, a connection each, all callers at once",
        "seed": seed, "rounds": rounds, "callers": callers, "sent": rounds * callers,
        "statuses": dict(Counter(str(one["status"]) for one in answers)),
        "lost": sum(one["status"] == 0 for one in answers),
        "seconds": _spread([one["seconds"] for one in answers]),
        "by_read": {name: _spread([one["seconds"] for one in answers if one["read"] == name]) for name in READS},
        "by_round": [
            {"load": each["load"], **_spread([one["seconds"] for one in each["answers"]])} for each in measured
        ],
    }  # fmt: skip
    path = paired.write("doors", facts)
    print(f"\n{json.dumps(facts, indent=2)}\nwritten to {path.relative_to(states.CHECKOUT)}")


def _round(lab: Lab, app: App, number: int, callers: int, chance: random.Random) -> dict[str, Any]:
    app.write(f"release {number}")
    lab.fault(sleep_at={"roll-out:before": HELD})
    deploying = lab.start("pipeline", "run", "--repo", str(app.repo), "--json")
    try:
        lab.wait_until_running(app.name)
        reads, load = chance.choices(READS, k=callers), round(os.getloadavg()[0], 2)
        with ThreadPoolExecutor(callers) as pool:
            answers = list(pool.map(lambda read: _ask(lab, read, app.name), reads))
        running = deploying.poll() is None
    finally:
        lab.fault()
        out, err = deploying.communicate(timeout=180)
    if not running:
        raise RigError("the deployment ended before the last answer; let it be held for longer")
    _must(deploying.returncode, out + err)
    told = _spread([one["seconds"] for one in answers])
    print(f"  round {number + 1}: median {told['median']} s  p99 {told['p99']} s  load {load}", flush=True)
    return {"answers": answers, "load": load}


def _ask(lab: Lab, read: str, app: str) -> dict[str, Any]:
    """Make one call; a status of 0 is an answer that never came."""
    began, status = time.monotonic(), 0
    connection = http.client.HTTPConnection(urlsplit(lab.env["RIG_HTTP"]).netloc, timeout=120)
    try:
        headers = {"X-Api-Key": lab.env["RIG_API_KEY"], "X-Role": "observer"}
        connection.request("POST", f"/execute/{read}", json.dumps({"appName": app}), headers)
        answer = connection.getresponse()
        status = answer.status if "result" in json.loads(answer.read()) or answer.status != 200 else 0
    except (OSError, ValueError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    return {"read": read, "status": status, "seconds": time.monotonic() - began}


def _spread(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    found = {"median": cuts[49], "p90": cuts[89], "p99": cuts[98], "max": max(seconds)}
    return {name: round(value, 3) for name, value in found.items()}


def _must(code: int | None, said: str) -> None:
    if code != 0:
        raise RigError(f"it failed: {said[-800:]}")
