"""What is measured beside ours: the same services and the same proxy, brought up by compose or by docker-rollout."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

from tests.bench.rollout.host import SCRIPT, Host, Wanted, compose_of
from tests.demo.stage import HOST
from tests.rig import box as boxes
from tests.rig.commands import RigError, wait_until

PORT: Final = 8088
FOLDER: Final = "/srv/plain"
JUDGED_AFTER: Final = 6.0
"""Seconds after which whoever watches has seen that a release is bad and brings the one before up again."""

FAILED: Final = "failed"

CADDYFILE: Final = """\
http://%s {
	reverse_proxy website:3000 {
		lb_try_duration 10s
		lb_try_interval 100ms
		transport http {
			dial_timeout 3s
		}
	}
}
"""


class Plain:
    """The suite as an ordinary compose project with a Caddy of its own."""

    name = "docker compose up -d"

    def __init__(self, host: Host) -> None:
        self.host, self.compose = host, ["docker", "compose", "--project-name", "plain", "--project-directory", FOLDER,
                                         "--env-file", "/srv/apps/suite/app.env"]  # fmt: skip
        boxes.write(host.box, f"{FOLDER}/Caddyfile", CADDYFILE % HOST)
        boxes.write(host.box, f"{FOLDER}/behaviour.js", SCRIPT.read_text())
        host.inside("chmod", "-R", "a+rX", FOLDER)

    def bring(self, wanted: Wanted) -> None:
        """Make this release what runs. Raises RigError when the program says that it failed."""
        self._write(wanted)
        self.host.inside(*self._files(), "up", "--detach", "--quiet-pull")

    def start(self, wanted: Wanted) -> None:
        """Bring the first release up and wait until it answers."""
        self.bring(wanted)
        ask = ["curl", "-fsS", "-o", "/dev/null", "-H", f"Host: {HOST}", f"http://127.0.0.1:{PORT}/"]
        wait_until("the plain project", lambda: _works(self.host, ask), seconds=60)

    def down(self) -> None:
        """Remove it."""
        self.host.inside(*self._files(), "down", "--volumes", "--timeout", "2")

    def replace(self, before: Wanted, wanted: Wanted, bad: bool) -> str:
        """Replace a release; a bad one is noticed after a while and taken back. Return how it ended."""
        try:
            self.bring(wanted)
            said = "brought up"
        except RigError:
            said = "failed"
        if bad:
            time.sleep(JUDGED_AFTER)
            self.bring(before)
            said += ", taken back"
        return said

    def _files(self) -> list[str]:
        return [*self.compose, "--file", f"{FOLDER}/compose.json"]

    def _write(self, wanted: Wanted) -> None:
        document: dict[str, Any] = compose_of(self.host.base["compose"], wanted, f"{FOLDER}/behaviour.js")
        document["name"] = "plain"
        proxy = json.loads(self.host.inside("docker", "inspect", "ikoma-proxy"))[0]["Config"]["Image"]
        document["services"]["proxy"] = {
            "image": proxy, "command": ["caddy", "run", "--config", "/Caddyfile"], "ports": [f"{PORT}:80"],
            "volumes": [f"{FOLDER}/Caddyfile:/Caddyfile:ro"], "environment": {"XDG_DATA_HOME": "/tmp"},
        }  # fmt: skip
        boxes.write(self.host.box, f"{FOLDER}/compose.json", json.dumps(document))


class Rollout(Plain):
    """The same, each routed service replaced by docker-rollout: a second container, then the old one goes."""

    name = "docker-rollout"

    def __init__(self, host: Host, script: Path) -> None:
        super().__init__(host)
        boxes.write(host.box, "/usr/local/bin/docker-rollout", script.read_text())
        host.inside("chmod", "755", "/usr/local/bin/docker-rollout")

    def replace(self, before: Wanted, wanted: Wanted, bad: bool) -> str:
        said = self._both(before, wanted)
        if bad and said != FAILED:  # else it has put back itself what was there
            time.sleep(JUDGED_AFTER)
            said += f", taken back: {self._both(wanted, before)}"
        return said

    def _both(self, before: Wanted, wanted: Wanted) -> str:
        self._write(wanted)
        changed = [name for name in ("api", "website")
                   if (before.versions[name], before.behaviours.get(name)) !=
                   (wanted.versions[name], wanted.behaviours.get(name))]  # fmt: skip
        try:
            for name in changed:
                words = ["rollout", "--file", f"{FOLDER}/compose.json", "--env-file", "/srv/apps/suite/app.env"]
                self.host.inside("docker-rollout", *words, name)
        except RigError:
            return FAILED
        return "rolled out"


def _works(host: Host, words: list[str]) -> bool:
    try:
        host.inside(*words)
    except RigError:
        return False
    return True
