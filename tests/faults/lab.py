"""What the fault tests do to a host, and what they ask of it. Everything goes through the commands a user types."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.operations.lock import HOUSEKEEPING

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """What a command left. ``json`` is the one object on its standard output (empty without ``--json``)."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.stdout)
        return loaded

    def __str__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.stdout[-4000:]}\n--- stderr\n{self.stderr[-4000:]}"


@dataclass
class Answers:
    """What a route answered while something else happened."""

    bodies: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Lab:
    """One host in a box, as ``scripts/rig env`` describes it."""

    env: Mapping[str, str]
    name: str = ""

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bridge", *words]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.env, "BASE_IMAGE": self.env["RIG_BUSYBOX_IMAGE"], "IKOMA_LANG": "en"}

    def bridge(self, *words: str, timeout: float = 180, **extra: str) -> Ran:
        """Run ``python -m bridge`` to its end."""
        done = subprocess.run(
            self.command(*words),
            cwd=CHECKOUT,
            env=self.environment | extra,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        """Start ``python -m bridge`` in the background."""
        return subprocess.Popen(
            self.command(*words),
            cwd=CHECKOUT,
            env=self.environment | extra,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def deploy(self, repo: Path, *words: str, timeout: float = 180, **extra: str) -> Ran:
        """Run the whole pipeline for the repository."""
        return self.bridge("pipeline", "run", "--repo", str(repo), "--json", *words, timeout=timeout, **extra)

    def inside(self, *words: str, check: bool = True, text: str | None = None) -> str:
        """Run a command on the host as root and return what it printed."""
        chosen = ["--name", self.name] if self.name else []
        done = subprocess.run(
            [str(CHECKOUT / "scripts/rig"), "exec", *chosen, "--", *words],
            capture_output=True, text=True, timeout=120, input=text if text is not None else "",
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def fault(self, **what: object) -> None:
        """Arm the agent's fault injection, e.g. ``die_at="migrate:after"``; without arguments disarm it."""
        if what:
            self.inside("sh", "-c", "cat > /etc/ikoma/faults.json && chmod 644 /etc/ikoma/faults.json",
                        text=json.dumps(what))  # fmt: skip
        else:
            self.inside("rm", "-f", "/etc/ikoma/faults.json")

    def containers(self, slug: str) -> dict[str, str]:
        """Return the running containers of a target: id → service."""
        lines = self.inside(
            "docker", "ps", "--no-trunc", "--filter", f"label=com.docker.compose.project={slug}",
            "--format", '{{.ID}} {{.Label "com.docker.compose.service"}}',
        ).split("\n")  # fmt: skip
        return dict(line.split(" ") for line in lines if line)

    def all_containers(self, slug: str) -> list[str]:
        """Return the ids of all containers of a target, stopped ones too."""
        return self.inside("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={slug}").split()

    def apps(self) -> set[str]:
        """Return the targets that have containers."""
        return set(self.inside("docker", "ps", "-a", "--format", '{{.Label "ikoma.target"}}').split())

    def remove(self, slugs: set[str]) -> None:
        """Remove the containers and databases of targets, so that the next test has the machine for itself."""
        for slug in slugs:
            if identities := self.all_containers(slug):
                self.inside("docker", "rm", "-f", *identities)
            self.inside("runuser", "-u", "postgres", "--", "dropdb", "--if-exists", "--force", slug)
            for role in (f"{slug}_app", f"{slug}_migrator"):
                self.inside("runuser", "-u", "postgres", "--", "dropuser", "--if-exists", role)

    def lock_is_free(self, slug: str) -> bool:
        """Say whether no operation holds the lock of a target; the supervised unit's rounds hold it for moments."""
        lock, deadline = f"/var/lib/ikoma/locks/{slug}.lock", time.monotonic() + 10
        while True:
            said = self.inside("sh", "-c", f"flock -n {lock} echo free || cat {lock}").strip()
            if said == "free":
                return True
            if (said and json.loads(said)["operation"] != HOUSEKEEPING) or time.monotonic() > deadline:
                return False
            time.sleep(0.1)

    def ask(self, host: str, path: str = "/", timeout: float = 5) -> tuple[int, str]:
        """Ask the route as a user would, through the proxy."""
        connection = http.client.HTTPConnection(self.env["RIG_ADDRESS"], 80, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    @contextlib.contextmanager
    def asking(self, host: str, every: float = 0.05) -> Iterator[Answers]:
        """Ask the route all the time while the block runs."""
        answers, stop = Answers(), threading.Event()

        def loop() -> None:
            while not stop.is_set():
                try:
                    status, body = self.ask(host)
                    if status == 200:
                        answers.bodies.append(body)
                    else:
                        answers.failures.append(f"{status} {body[:80]}")
                except OSError as error:
                    answers.failures.append(repr(error))
                stop.wait(every)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield answers
        finally:
            stop.set()
            thread.join()

    @contextlib.contextmanager
    def link_down(self) -> Iterator[None]:
        """Take the outer end of the host's cable down for as long as the block runs."""
        link = self.env["RIG_OUTER_LINK"]
        subprocess.run(["ip", "link", "set", link, "down"], check=True)
        try:
            yield
        finally:
            subprocess.run(["ip", "link", "set", link, "up"], check=True)

    def wait_until_idle(self, app: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until no operation runs on the app; return its status."""
        return self._wait(app, seconds, lambda status: status["operation"] is None)

    def wait_until_running(self, app: str, seconds: float = 60) -> str:
        """Wait until an operation of the app runs on the host; return its id."""
        return str(self._wait(app, seconds, lambda status: status["operation"] is not None)["operation"]["id"])

    @contextlib.contextmanager
    def stopped(self, box: str, service: str) -> Iterator[None]:
        """Hold a service of a box down for as long as the block runs."""
        flag = Path(self.env["RIG_STATE"]) / "boxes" / box / "share/stop" / service
        flag.parent.mkdir(exist_ok=True)
        flag.touch()
        time.sleep(3)  # the box's first process looks every second
        try:
            yield
        finally:
            flag.unlink()
            time.sleep(3)

    def _wait(self, app: str, seconds: float, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.bridge("status", "--app", app, "--json")
            if status.code == 0 and reached(status.json):
                return status.json
            time.sleep(0.2)
        raise AssertionError(f"{app} did not get there within {seconds} s: {status}")


def kill(process: subprocess.Popen[str]) -> None:
    """kill -9, the client's own process and nothing else."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
