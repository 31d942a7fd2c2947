"""What the demonstration plays on: a copy of the example, the commands a user types, and somebody who asks."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.rig import rig
from tests.rig import state as states
from tests.rig.commands import RigError, run

EXAMPLE = states.CHECKOUT / "docs/examples/suite"
HOST = "suite.localhost"
PROMPT = "\n$ "


@dataclass(frozen=True)
class Stage:
    """One rig, and the user's copy of the repository."""

    env: Mapping[str, str]
    repo: Path

    @classmethod
    def set_up(cls) -> Stage:
        """Copy the example into a repository of its own (once) and learn how the rig is reached."""
        env = rig.environment(states.load(), rig.DEFAULT_HOST, "suite")
        stage = cls(env, states.home() / "demo/suite")
        stage.copy()
        return stage

    def copy(self) -> None:
        """Bring the copy to what the example is now; app.env, which git ignores, stays."""
        self.repo.mkdir(parents=True, exist_ok=True)
        shutil.copytree(EXAMPLE, self.repo, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
        if not (self.repo / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        if self.git("status", "--porcelain"):
            self.git("-c", "user.name=Demo", "-c", "user.email=demo@localhost", "commit", "--quiet", "-m", "The suite")

    def git(self, *words: str) -> str:
        """Run git in the copy, untouched by the surroundings' GIT_* variables."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return run(["git", "-C", self.repo, *words], env=env)

    def bridge(self, *words: str) -> int:
        """Type one command of the bridge, visibly; returns its exit code."""
        print(f"{PROMPT}python -m bridge {' '.join(words)} --repo suite", flush=True)
        argv = [sys.executable, "-m", "bridge", *words, "--repo", str(self.repo)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")} | dict(self.env)
        return subprocess.run(argv, env=env, cwd=states.CHECKOUT, check=False).returncode

    def must(self, *words: str) -> None:
        """Type a command that has to succeed. Raises RigError."""
        if code := self.bridge(*words):
            raise RigError(f"`python -m bridge {' '.join(words)}` ended with {code}; see above")

    def ask(self, path: str = "/", timeout: float = 10.0) -> tuple[int, str]:
        """Ask the app as its users do: through the proxy on the host."""
        connection = http.client.HTTPConnection(self.env["RIG_ADDRESS"], 80, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": HOST})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()


class Visitor:
    """Somebody who asks all the time, in a thread, and counts what came back."""

    def __init__(self, stage: Stage, path: str, every: float = 0.05) -> None:
        self._stage, self._path, self._every = stage, path, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="visitor")
        self.answers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def __enter__(self) -> Visitor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(self._every):
            try:
                status, text = self._stage.ask(self._path)
            except OSError as error:
                self.failures[type(error).__name__] += 1
            else:
                counted = self.answers if status == 200 else self.failures
                counted[text.strip() if status == 200 else f"HTTP {status}"] += 1
