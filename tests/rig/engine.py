"""A Docker Engine inside a box, as Debian packages it: containerd and dockerd side by side."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.rig import box as boxes
from tests.rig import network
from tests.rig import state as states
from tests.rig.commands import wait_until
from tests.rig.state import Box

SERVICES: list[dict[str, object]] = [
    {"name": "containerd", "argv": ["/usr/bin/containerd"]},
    {"name": "docker", "argv": ["/usr/sbin/dockerd", "--containerd=/run/containerd/containerd.sock"]},
]


def configure(box: Box) -> None:
    """Write the engine's settings; its second socket is the one this machine may use."""
    settings = {
        "hosts": ["unix:///run/docker.sock", "unix:///run/rig/docker.sock"],
        "features": {"containerd-snapshotter": True},
        "mtu": network.mtu(),
        # Small networks, many of them, none of them the rig's.
        "default-address-pools": [{"base": "172.16.0.0/12", "size": 24}],
    }
    boxes.write(box, "/etc/docker/daemon.json", json.dumps(settings, indent=1))


def url(box: Box) -> str:
    """What DOCKER_HOST has to be to reach the engine from outside."""
    return f"unix://{states.share(box.name)}/docker.sock"


def wait(box: Box) -> None:
    """Wait until the engine answers."""
    wait_until(f"the engine of {box.name}", lambda: _answers(states.share(box.name) / "docker.sock"), seconds=120)


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(path))
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: rig\r\n\r\n")
            return b"200 OK" in connection.recv(200)
    except OSError:
        return False
