"""The builder's box: an engine of its own that builds and pushes images, with a way out to the package registries."""

from __future__ import annotations

from pathlib import Path

from tests.rig import box as boxes
from tests.rig import engine, registry, rootfs
from tests.rig.commands import RigError
from tests.rig.state import BUILDER, Box, State

RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


def ensure(state: State) -> Box:
    """The running builder, started if need be."""
    box = state.boxes.setdefault("builder", Box("builder", "builder", BUILDER))
    if not boxes.is_up(box):
        boxes.start(state, box, rootfs.ensure(rootfs.BOX), engine.SERVICES, lambda: _furnish(state, box))
    engine.wait(box)
    return box


def _furnish(state: State, box: Box) -> None:
    engine.configure(box)
    registry.trust(state, box)
    boxes.write(box, "/etc/resolv.conf", _resolver())


def _resolver() -> str:
    """The machine's name servers that a box can reach: not those on the machine's loopback."""
    for path in RESOLVERS:
        lines = path.read_text().splitlines() if path.exists() else []
        servers = [line for line in lines if line.startswith("nameserver") and " 127." not in line]
        if servers:
            return "\n".join(servers) + "\n"
    raise RigError("no name server outside the loopback found in /etc/resolv.conf; the builder could not resolve names")
