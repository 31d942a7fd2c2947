"""An app of a few shell lines whose releases are sent to the host in a box over the wire, as the bridge sends them."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.docker.engine import PROJECT, SERVICE, Engine
from agent.model.names import Target, new_operation
from agent.model.release import Release
from agent.model.secret import Secret
from agent.protocol import Body, Credentials, Event
from bridge.images import names
from bridge.images.registry import Client
from bridge.remote.client import Agent
from bridge.remote.connection import Destination

OnEvent = Callable[[Event], None]

LIFE = ("create", "start", "restart", "die", "stop", "destroy", "rename")
CHECKOUT = Path(__file__).parents[2]

SERVE = """\
mkdir -p /www; echo "$$VERSION" > /www/index.html; echo ok > /www/health
trap 'sleep 0.5; kill $$child; exit 0' TERM
httpd -f -p 8080 -h /www & child=$$!
"""
GOOD = SERVE + "wait $$child; wait $$child"
JOB = "trap 'exit 0' TERM; while :; do sleep 1 & wait $$!; done"
HEALTH = {
    "test": ["CMD", "/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"],
    "interval": "1s", "timeout": "2s", "retries": 2, "start_period": "2s", "start_interval": "200ms",
}  # fmt: skip


def _silent(_event: Event) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Access:
    """The registry of the rig."""

    address: str
    username: str
    token: Secret


@dataclass
class Shop:
    """One target on the host, and what its releases are made of."""

    env: dict[str, str]
    name: str
    image: str

    @property
    def host(self) -> str:
        return f"{self.name}.localhost"

    @property
    def engine(self) -> Engine:
        return Engine(self.env["RIG_DOCKER_HOST"].removeprefix("unix://"), timeout=60)

    def service(self, script: str, version: str = "", *, healthy: bool = False, **more: Any) -> dict[str, Any]:
        """Return a compose service that runs ``script``."""
        found = {"image": self.image, "command": ["/bin/sh", "-c", script], "environment": {"VERSION": version}}
        return found | ({"healthcheck": HEALTH, "expose": ["8080"]} if healthy else {}) | more

    def release(self, services: dict[str, tuple[str, dict[str, Any]]], *, route: bool = True, **more: Any) -> Release:
        """Return a release of services: name → kind and compose definition."""
        return Release(
            app=self.name,
            environment="production",
            platform="linux/amd64",
            compose={"services": {name: definition for name, (_, definition) in services.items()}, **more},
            services={name: {"image": self.image, "kind": kind, "drain": 3} for name, (kind, _) in services.items()},
            routes={self.host: "web:8080"} if route else {},
            health={"timeout": 15, "window": 1},
        )

    def version(self, version: str, script: str = GOOD, **extra: tuple[str, dict[str, Any]]) -> Release:
        """Return a release with a website of that version, a worker, and more services."""
        return self.release({
            "web": ("routed", self.service(script, version, healthy=True)),
            "jobs": ("worker", self.service(JOB)),
            **extra,
        })  # fmt: skip

    # -- the wire

    @property
    def destination(self) -> Destination:
        return Destination(
            self.env["BRIDGE_HOST"], int(self.env["BRIDGE_PORT"]), self.env["BRIDGE_USER"],
            Path(self.env["BRIDGE_SSH_KEY"]), Path(self.env["BRIDGE_KNOWN_HOSTS"]),
        )  # fmt: skip

    def deploy(self, release: Release, on_event: OnEvent = _silent, **args: Any) -> dict[str, Any]:
        """Send the release and follow its deployment to the end."""
        return self.perform("deploy.apply", on_event, bundle(release), release=release.id, **args)

    def perform(
        self, capability: str, on_event: OnEvent = _silent, sent: bytes | None = None, **args: Any
    ) -> dict[str, Any]:
        """Perform a changing capability and return its result."""
        with Agent(self.destination) as agent:
            return agent.perform(capability, self._body(args), sent, new_operation(), on_event)

    def read(self, capability: str, **args: Any) -> dict[str, Any]:
        """Ask for a reading capability."""
        with Agent(self.destination) as agent:
            return agent.read(capability, self._body(args))

    def _body(self, args: dict[str, Any]) -> Body:
        token, user = self.env["BRIDGE_REGISTRY_TOKEN"], self.env["BRIDGE_REGISTRY_USER"]
        credentials = Credentials(self.env["BRIDGE_REGISTRY"], user, token)
        return Body(app=self.name, args=args, credentials=credentials)

    # -- the world

    def containers(self) -> dict[str, list[str]]:
        """Return the running containers: service → ids."""
        found: dict[str, list[str]] = {}
        for item in self.engine.containers(self.name):
            if item["State"] == "running":
                found.setdefault(item["Labels"][SERVICE], []).append(item["Id"])
        return {service: sorted(ids) for service, ids in sorted(found.items())}

    def number_of_containers(self) -> int:
        """Return how many containers of the target there are, stopped ones too."""
        return len(self.engine.containers(self.name))

    def ask(self, path: str = "/") -> str:
        """Return what the route answers. Raises when it does not answer 200."""
        connection = http.client.HTTPConnection(self.env["BRIDGE_HOST"], 80, timeout=15)
        try:
            connection.request("GET", path, headers={"Host": self.host})
            response = connection.getresponse()
            body = response.read().decode().strip()
        finally:
            connection.close()
        if response.status != 200:
            raise AssertionError(f"{response.status} {body}")
        return body

    def inside(self, *words: str) -> str:
        """Run a command on the host as root."""
        done = subprocess.run([str(CHECKOUT / "scripts/rig"), "exec", "--", *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)  # fmt: skip
        if done.returncode:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def events(self, since: float) -> list[tuple[str, str, str]]:
        """Return what befell the target's containers since then: action, service, container (health checks apart)."""
        window = ["--since", f"{since:.3f}", "--until", f"{time.time():.3f}"]
        chosen = ["--filter", "type=container", "--filter", f"label={PROJECT}={self.name}"]
        lines = self.inside("docker", "events", *window, *chosen, "--format", "{{json .}}").splitlines()
        found = [json.loads(line) for line in lines]
        told = [(item["Action"], item["Actor"]["Attributes"][SERVICE], item["Actor"]["ID"]) for item in found]
        return [item for item in told if item[0] in LIFE]

    def remove(self) -> None:
        """Take everything of the target off the host."""
        for item in self.engine.containers(self.name, one_off=True):
            self.engine.remove(item["Id"])
        self.inside("sh", "-c", f"rm -rf /srv/apps/{self.name} /var/lib/ikoma/proxy/routes/{self.name}.caddy")
        self.engine.disconnect(f"{self.name}-edge", "ikoma-proxy")
        for network in self.engine.networks():
            if network["Name"].startswith((f"{self.name}_", f"{self.name}-edge")):
                self.engine.remove_network(network["Name"])


@dataclass
class Answers:
    """What users of the route saw."""

    bodies: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def bundle(release: Release) -> bytes:
    """Return the bundle of a release without migrations and files."""
    raw, out = json.dumps(release.to_json()).encode(), io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("release.json")
        member.size = len(raw)
        archive.addfile(member, io.BytesIO(raw))
    return out.getvalue()


@contextmanager
def users(shop: Shop, every: float = 0.02) -> Iterator[Answers]:
    """Ask the route again and again while something happens."""
    answers, over = Answers(), threading.Event()

    def ask() -> None:
        while not over.wait(every):
            try:
                answers.bodies.append(shop.ask())
            except Exception as error:
                answers.failures.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="session")
def busybox(rig: dict[str, str]) -> str:
    """The rig's smallest image, by digest."""
    reference = names.parse(rig["RIG_BUSYBOX_IMAGE"])
    token = Secret(rig["BRIDGE_REGISTRY_TOKEN"])
    access = Access(rig["BRIDGE_REGISTRY"], rig["BRIDGE_REGISTRY_USER"], token)
    return f"{reference.name}@{Client(access, {**os.environ, **rig}).resolve(reference)}"


@pytest.fixture
def shop(rig: dict[str, str], busybox: str, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A target of its own for each test, with nothing on the host before and after."""
    number = sum(map(ord, request.node.name)) % 100_000
    made = Shop(rig, f"shop{number}", busybox)
    assert Target(made.name).slug == made.name
    made.remove()
    yield made
    made.remove()
