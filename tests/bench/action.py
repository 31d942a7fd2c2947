"""What a pull request waits for: our action from its start to the first result on GitHub, and the whole job.

The repository is the suite, deployed and unchanged, so the job checks it, finds every image, and asks the host for its
plan. *Cold* is a runner that has nothing but Python; *cached* one whose cache was restored. What GitHub itself adds
(a machine, a checkout, fetching the cache) is not in these numbers.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.action import events
from tests.action.engine import Engine
from tests.action.runner import Runner
from tests.bench import paired
from tests.demo.stage import Stage
from tests.github.double import JOB_TOKEN
from tests.github.server import Server, serve
from tests.rig.commands import RigError, run

Times = dict[str, dict[str, float]]


@dataclass
class Bench:
    """The deployed suite, GitHub's double, and a folder for runners."""

    stage: Stage
    github: Server
    engine: Engine
    root: Path

    def round(self, number: int) -> Times:
        """Run the job on a bare runner, then on one with the cache that the first left; return seconds."""
        caches = self.root / f"caches-{number}"
        caches.mkdir()
        return {kind: self._job(caches) for kind in ("cold", "cached")}

    def _job(self, caches: Path) -> dict[str, float]:
        runner = self._runner(caches)
        first: list[float] = []

        def arrived(method: str, path: str) -> None:
            if method == "POST" and path.endswith("/check-runs"):
                first.append(time.perf_counter())

        self.github.before = arrived
        began = time.perf_counter()
        ended = runner.job("check.yml", "check", self._inputs, self._secrets)
        whole = time.perf_counter() - began
        if ended.outputs["status"] != "PLANNED" or not first or self.github.violations:
            raise RigError(f"the job did not plan: {ended.outputs} {self.github.violations}\n{ended.log.shown[-2000:]}")
        if "builds nothing" not in ended.summary:
            raise RigError(f"something was to be built:\n{ended.summary[-2000:]}")
        return {"first_result": round(first[0] - began, 3), "whole_job": round(whole, 3)}

    def _runner(self, caches: Path) -> Runner:
        """Return a fresh runner; like GitHub's, each lies where the one before lay."""
        root = self.root / "runner"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        (root / "caches").symlink_to(caches)
        head = self.stage.git("rev-parse", "HEAD").strip()
        self.github.double.open_pull(7, head)
        context = events.pull_request(self.github.url, JOB_TOKEN, head=head)
        context |= {"actor": self.stage.env["BRIDGE_REGISTRY_USER"], "run_id": str(time.time_ns())}
        event = root / "event.json"
        event.write_text(json.dumps(context["event"]))
        machine = {name: self.stage.env[name] for name in ("DOCKER_HOST", "SSL_CERT_FILE")}
        runner = Runner(root, self.engine, context, event, machine)
        runner.workspace.rmdir()
        run(["git", "clone", "--quiet", str(self.stage.repo), str(runner.workspace)])
        return runner

    @property
    def _inputs(self) -> dict[str, Any]:
        env = self.stage.env
        _, _, key = Path(env["BRIDGE_KNOWN_HOSTS"]).read_text().split("\n")[0].partition(" ")
        return {"host": env["BRIDGE_HOST"], "host-key": key, "registry": env["BRIDGE_REGISTRY"],
                "build-values": f"BASE_IMAGE={env['BASE_IMAGE']}"}  # fmt: skip

    @property
    def _secrets(self) -> dict[str, str]:
        key = Path(self.stage.env["BRIDGE_SSH_KEY"]).read_text()
        return {"BRIDGE_SSH_KEY": key, "BRIDGE_REGISTRY_TOKEN": self.stage.env["BRIDGE_REGISTRY_TOKEN"]}


def measure(rounds: int) -> None:
    """Deploy the suite, run the job of a pull request and write docs/results/action.json.

    Raises RigError when a job fails, or finds anything to do.
    """
    with _set_up() as bench:
        print(f"\nThe check of an unchanged pull request, {rounds} rounds:")
        measured = []
        for number in range(rounds):
            measured.append(times := bench.round(number))
            print(f"  {number + 1:>3}/{rounds}  {json.dumps(times)}", flush=True)
    facts = {"job": "check.yml", "rounds": rounds, "seconds": _spreads(measured), "measured": measured}
    path = paired.write("action", facts)
    print(f"\n{json.dumps(facts['seconds'], indent=2)}\nwritten to {path.name}")


@contextmanager
def _set_up() -> Iterator[Bench]:
    stage = Stage.set_up()
    for words in (("env", "init"), ("env", "push"), ("pipeline", "run")):
        stage.must(*words)
    engine = Engine()
    try:
        with serve() as github, tempfile.TemporaryDirectory(prefix="ikoma-bench-") as folder:
            yield Bench(stage, github, engine, Path(folder))
    finally:
        engine.close()


def _spreads(measured: list[Times]) -> dict[str, dict[str, dict[str, float]]]:
    """Return median, quartiles and minimum of each time of each kind."""
    return {
        kind: {name: paired.spread([times[kind][name] for times in measured]) for name in measured[0][kind]}
        for kind in measured[0]
    }
