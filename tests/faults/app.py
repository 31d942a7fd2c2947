"""A small app whose releases can be told to misbehave: one routed service, one worker, migrations."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY serve.sh /serve.sh
COPY www /www
CMD ["/bin/sh", "/serve.sh"]
"""

COMPOSE = """\
services:
  web:
    build: {context: ., args: {BASE_IMAGE: "${BASE_IMAGE}"}}
    environment: {APP_SECRET: "${APP_SECRET:-none}"}
    expose: ["8080"]
    stop_grace_period: 3s
    healthcheck:
      test: ["CMD", "/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]
      interval: 1s
      timeout: 2s
      retries: 2
      start_period: 2s
      start_interval: 200ms
  jobs:
    build: {context: ., args: {BASE_IMAGE: "${BASE_IMAGE}"}}
    command: ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $$!; done"]
    stop_grace_period: 3s
"""

GOOD = """\
trap 'kill $! ; exit 0' TERM
/bin/busybox httpd -f -p 8080 -h /www &
wait $!
"""

ALONE = COMPOSE.partition("  jobs:")[0]
"""The routed service alone, for what is about one."""

KEEPING = (
    ALONE
    + """\
    volumes: ["uploads:/uploads"]
volumes:
  uploads: {}
"""
)
"""The routed service with a volume."""

BEHAVIOURS = {
    "good": GOOD,
    "crash": "echo 'cannot open the widget store'; exit 7\n",
    "late-crash": GOOD.replace("wait $!", "sleep 2; echo 'lost the widget store'; exit 9"),
}


@dataclass
class App:
    """A repository of the app below ``repo``. Its name gets an ending of its own: a host remembers its apps."""

    repo: Path
    name: str
    migrations: dict[str, str] = field(default_factory=dict)
    compose: str = COMPOSE

    def __post_init__(self) -> None:
        self.name = f"{self.name[:25].rstrip('-')}-{os.urandom(2).hex()}"

    @property
    def host(self) -> str:
        """The public host name of its route."""
        return f"{self.name}.localhost"

    def write(self, version: str, behaviour: str = "good", *, healthy: bool = True, **contract: object) -> None:
        """Write one release: its version, how it behaves, and what else its contract says."""
        (self.repo / "www").mkdir(parents=True, exist_ok=True)
        (self.repo / "migrations").mkdir(exist_ok=True)
        (self.repo / "Dockerfile").write_text(DOCKERFILE)
        (self.repo / ".dockerignore").write_text("*\n!www\n!serve.sh\n")
        (self.repo / "docker-compose.yml").write_text(self.compose)
        (self.repo / "serve.sh").write_text(BEHAVIOURS[behaviour])
        (self.repo / "www/index.html").write_text(version)
        health = self.repo / "www/health"
        health.write_text("ok") if healthy else health.unlink(missing_ok=True)
        for name, sql in self.migrations.items():
            (self.repo / "migrations" / f"{name}.sql").write_text(sql)
        text = {"app": self.name, "routes": {self.host: "web:8080"}, "health": {"timeout": "12s", "window": "1s"}}
        (self.repo / "ikoma.release.json").write_text(json.dumps(text | contract))
        self._commit(version)

    def _commit(self, message: str) -> None:
        if not (self.repo / ".git").exists():
            self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "--allow-empty", "-m", message)

    def _git(self, *words: str) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        subprocess.run(["git", *words], cwd=self.repo, check=True, env=env)
