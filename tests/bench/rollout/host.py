"""The host under test: the suite, deployed once as users do it, then releases that differ in what they do alone."""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agent.model import release as releases
from agent.model.names import new_operation
from agent.model.release import Release
from agent.protocol import Body, Credentials, Event
from agent.releases.render import mapping
from bridge.images.release import pack
from bridge.remote.client import Agent
from bridge.remote.connection import Destination
from tests.demo.stage import HOST, Stage
from tests.rig import box as boxes
from tests.rig import cgroups, rig
from tests.rig import state as states
from tests.rig.commands import RigError, wait_until

SCRIPT: Final = Path(__file__).with_name("behaviour.js")
PORTS: Final = {"website": 3000, "api": 4000}
ASKS: Final = (
    'exec 3<>/dev/tcp/127.0.0.1/%d; printf "GET /health HTTP/1.0\\r\\n\\r\\n" >&3; read -r said <&3; '
    '[[ $$said == *" 200 "* ]]'
)
"""The suite's own check starts a Node.js each time: so often, on a machine that is measured, that would be load."""

CHECK: Final = {"interval": "2s", "timeout": "10s", "retries": 3, "start_period": "20s", "start_interval": "500ms"}
HEALTH: Final = {"timeout": 40, "window": 5}
DRAIN: Final = 6
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
WEIGHTS: Final = (("cpu/%s/cpu.shares", 20480), ("%s/cpu.weight", 2000))
"""Twenty times what anything else on this machine has, as either version of control groups says it."""


@dataclass
class Wanted:
    """One release of the suite: which version of each routed service, and how it behaves."""

    versions: dict[str, str] = field(default_factory=lambda: {"website": "0", "api": "0"})
    behaviours: dict[str, str] = field(default_factory=dict)

    def having(self, service: str, version: str, behaviour: str = "good") -> Wanted:
        """Return the same with another version of one service."""
        others = {name: how for name, how in self.behaviours.items() if name != service}
        return Wanted(self.versions | {service: version}, others | {service: behaviour})


def compose_of(base: Mapping[str, Any], wanted: Wanted, script: str) -> dict[str, Any]:
    """Return the suite's compose file in which the two services load the script. Pure."""
    document = copy.deepcopy(dict(base))
    for name, version in wanted.versions.items():
        behaviour, service = wanted.behaviours.get(name, "good"), document["services"][name]
        told = {"SERVICE": name, "VERSION": version, "BEHAVIOUR": behaviour, "NODE_OPTIONS": "--require=/behaviour.js"}
        service["environment"] = mapping(service.get("environment")) | told
        service["volumes"] = [{"type": "bind", "source": script, "target": "/behaviour.js", "read_only": True}]
        service["healthcheck"] = CHECK | {"test": ["CMD", "bash", "-c", ASKS % PORTS[name]]}
        service |= {"mem_limit": "256m"} if behaviour == "grows" else {}
        service |= {"restart": "no"} if behaviour == "exits" else {}
    return document


class Host:
    """The rig's host with the suite on it."""

    def __init__(self) -> None:
        self.stage = Stage.set_up()
        self.box = rig.find(states.load(), rig.DEFAULT_HOST)
        for words in (("env", "init"), ("env", "push"), ("pipeline", "run")):
            self.stage.must(*words)
        self.base: dict[str, Any] = self.read("deploy.manifest")["manifest"]

    def weigh(self) -> None:
        """Have whatever else this machine does wait for the box: what is measured is a host with two processors."""
        for name, weight in WEIGHTS:
            file = cgroups.ROOT / (name % boxes.cgroup(states.load(), self.box))
            if file.exists():
                file.write_text(str(weight))

    @property
    def env(self) -> Mapping[str, str]:
        return self.stage.env

    def release(
        self, wanted: Wanted, more: Mapping[str, str], health: Mapping[str, int] = HEALTH, drain: int = DRAIN
    ) -> Release:
        """Return the release that is meant.

        Args:
            more: migrations that the suite does not have, by file name.
        """
        raw = {key: value for key, value in self.base.items() if key not in ("release", "provenance")}
        raw["compose"] = compose_of(raw["compose"], wanted, "./behaviour.js")
        for name in PORTS:  # asked by the agent itself: a check that starts a program costs more than the answer
            del raw["compose"]["services"][name]["healthcheck"]
        raw["files"] = [{"path": "behaviour.js", "sha256": hashlib.sha256(SCRIPT.read_bytes()).hexdigest()}]
        added = [{"file": name, "sha256": hashlib.sha256(sql.encode()).hexdigest()} for name, sql in more.items()]
        raw["migrations"] = [*raw["migrations"], *added]
        raw["health"] = dict(health)
        probes = {name: {"path": "/health", "port": port, "timeout": 5} for name, port in PORTS.items()}
        raw["services"] = {name: facts | {"drain": drain, "probe": probes.get(name)}
                           for name, facts in raw["services"].items()}  # fmt: skip
        return releases.parse(raw)

    def deploy(
        self, wanted: Wanted, on_event: Callable[[Event], None] = lambda _event: None, *,
        more: Mapping[str, str] = NOTHING, accept: Sequence[str] = (), health: Mapping[str, int] = HEALTH,
        drain: int = DRAIN,
    ) -> dict[str, Any]:  # fmt: skip
        """Deploy it and return the operation's result."""
        release = self.release(wanted, more, health, drain)
        folder = self.stage.repo / "migrations"
        own = [item.file for item in release.migrations if item.file not in more]
        content = {f"migrations/{name}": (folder / name).read_bytes() for name in own}
        content |= {f"migrations/{name}": sql.encode() for name, sql in more.items()}
        content |= {f"files/{item.sha256}": SCRIPT.read_bytes() for item in release.files}
        content["release.json"] = json.dumps(release.to_json()).encode()
        args = {"release": release.id} | ({"accept": list(accept)} if accept else {})
        return self.perform("deploy.apply", on_event, pack(content), **args)

    def must(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return the result of what had to succeed. Raises RigError."""
        if result["status"] != "HEALTHY":
            raise RigError(f"a good release ended {result['status']}: {result['error']}")
        return result

    def perform(
        self, capability: str, on_event: Callable[[Event], None] = lambda _event: None, sent: bytes | None = None,
        **args: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Perform a changing capability and return its result."""
        with Agent(self._destination) as agent:
            return agent.perform(capability, self._body(args), sent, new_operation(), on_event)

    def read(self, capability: str, **args: Any) -> dict[str, Any]:
        """Ask for a reading capability."""
        with Agent(self._destination) as agent:
            return agent.read(capability, self._body(args))

    def inside(self, *words: str) -> str:
        """Run a command on the host as root."""
        return boxes.execute(self.box, *words)

    def containers(self) -> int:
        """Return how many containers of the suite there are, stopped ones too."""
        return len(self.inside("docker", "ps", "-aq", "--filter", "label=com.docker.compose.project=suite").split())

    @contextmanager
    def registry_down(self) -> Iterator[None]:
        """Hold the registry down for as long as the block runs."""
        flag = states.share("registry") / "stop/registry"
        flag.parent.mkdir(exist_ok=True)
        flag.touch()
        try:
            wait_until("the registry to be gone", lambda: not _answers(self.env["BRIDGE_REGISTRY"]), seconds=20)
            yield
        finally:
            flag.unlink()

    @property
    def _destination(self) -> Destination:
        env = self.env
        return Destination(env["BRIDGE_HOST"], int(env["BRIDGE_PORT"]), env["BRIDGE_USER"],
                           Path(env["BRIDGE_SSH_KEY"]), Path(env["BRIDGE_KNOWN_HOSTS"]))  # fmt: skip

    def _body(self, args: dict[str, Any]) -> Body:
        login = Credentials(self.env["BRIDGE_REGISTRY"], self.env["BRIDGE_REGISTRY_USER"],
                            self.env["BRIDGE_REGISTRY_TOKEN"])  # fmt: skip
        return Body(app="suite", args=args, credentials=login)


def _answers(registry: str) -> bool:
    import socket

    host, _, port = registry.partition("/")[0].partition(":")
    try:
        socket.create_connection((host, int(port or 443)), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def users(host: Host, port: int, rate: float, file: Path) -> Iterator[None]:
    """Let users ask while the block runs; what they saw is in ``file`` afterwards."""
    argv = ["nice", "-n", "-5", sys.executable, "-m", "tests.bench.rollout.load"]
    argv += [host.env["RIG_ADDRESS"], str(port), HOST, str(rate), str(file)]
    process = subprocess.Popen(argv, cwd=states.CHECKOUT, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
