"""A second run with nothing changed, against the shortest thing that does the same by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from tests.bench import paired
from tests.demo.stage import Stage
from tests.rig import box as boxes
from tests.rig import rig
from tests.rig import state as states
from tests.rig.commands import RigError

REMOTE = "cd /srv/apps/suite && docker compose up -d --wait"


def measure(count: int, seed: int) -> None:
    """Deploy the suite, then run both in turns and write docs/results/noop.json.

    Raises RigError when a run fails, does something, or leaves other containers than before.
    """
    stage = Stage.set_up()
    for words in (("env", "init"), ("env", "push"), ("pipeline", "run"), ("pipeline", "run")):
        stage.must(*words)
    before = _containers()
    print(f"\nA second run with nothing changed, {count} pairs:")
    measured = paired.pairs(lambda: _ours(stage), lambda: _theirs(stage), count, seed)
    if (after := _containers()) != before:
        raise RigError(f"the containers changed: {sorted(set(before) ^ set(after))}")
    facts = {
        "ours": "python -m bridge pipeline run --json",
        "theirs": f"ssh root@host '{REMOTE}'",
        "seed": seed,
        "pairs": count,
        "containers": len(before),
        "seconds": paired.summary(measured),
        "measured": measured,
    }
    path = paired.write("noop", facts)
    print(f"\n{json.dumps(facts['seconds'], indent=2)}\nwritten to {path.relative_to(states.CHECKOUT)}")


def _ours(stage: Stage) -> None:
    argv = [sys.executable, "-m", "bridge", "pipeline", "run", "--repo", str(stage.repo), "--json"]
    done = subprocess.run(argv, env=_env(stage.env), cwd=states.CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RigError(f"the run failed: {done.stderr[-800:]}")
    report = json.loads(done.stdout)
    idle = all(service["action"] == "unchanged" for service in report["services"].values())
    if not idle or report["steps"] or any(image["built"] for image in report["images"].values()):
        raise RigError(f"the run did something: {[step['name'] for step in report['steps']]} {report['services']}")


def _theirs(stage: Stage) -> None:
    env = stage.env
    options = ["-o", f"UserKnownHostsFile={env['BRIDGE_KNOWN_HOSTS']}", "-o", "BatchMode=yes", "-F", "/dev/null"]
    argv = ["ssh", *options, "-i", env["BRIDGE_ADMIN_KEY"], "-p", env["BRIDGE_PORT"]]
    argv += [f"{env['BRIDGE_ADMIN_USER']}@{env['BRIDGE_HOST']}", REMOTE]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise RigError(f"compose failed: {done.stderr[-800:]}")


def _env(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("BRIDGE_", "GITHUB_"))} | dict(
        given
    )


def _containers() -> list[str]:
    box = rig.find(states.load(), rig.DEFAULT_HOST)
    ours = ["--filter", "label=com.docker.compose.project=suite"]
    return sorted(boxes.execute(box, "docker", "ps", "--quiet", "--no-trunc", *ours).split())
