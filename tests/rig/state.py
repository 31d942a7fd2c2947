"""What the rig remembers, and where: one JSON file per rig, one folder per box."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rig.commands import RigError

CHECKOUT = Path(__file__).resolve().parents[2]
BUILDER, REGISTRY, FIRST_HOST = 2, 3, 11  # last octets of the boxes' addresses; .1 is this machine
LONGEST_SOCKET_PATH = 107


@dataclass
class Box:
    """One box: its place in the network and the process that holds it alive."""

    name: str
    role: str  # host, builder or registry
    octet: int
    disk: str | None = None  # size of a small tmpfs, for tests of a full disk
    pid: int | None = None  # PID 1 of the box as this machine sees it
    started: int | None = None  # its start time in clock ticks, so that a recycled pid is not mistaken for it


@dataclass
class State:
    """Everything a later command must know about a running rig."""

    rig: str
    subnet: str | None = None  # the first three octets
    boxes: dict[str, Box] = field(default_factory=dict)
    images: dict[str, dict[str, str]] = field(default_factory=dict)  # base image → tag and digest
    registry_token: str = field(default_factory=lambda: secrets.token_hex(20))
    readonly_token: str = field(default_factory=lambda: secrets.token_hex(20))
    database_password: str = field(default_factory=lambda: secrets.token_hex(20))

    def address(self, octet: int) -> str:
        """The address of a box by its last octet."""
        return f"{self.subnet}.{octet}"

    @property
    def registry(self) -> str:
        """``host:port`` of the registry."""
        return f"{self.address(REGISTRY)}:5000"

    def hosts(self) -> list[Box]:
        """The boxes that play a VPS."""
        return [box for box in self.boxes.values() if box.role == "host"]

    def free_octet(self) -> int:
        """The lowest last octet no host uses."""
        taken = {box.octet for box in self.boxes.values()}
        return next(octet for octet in range(FIRST_HOST, 255) if octet not in taken)


def rig_id() -> str:
    """Names this checkout's rig: five characters from its path; IKOMA_RIG gives a second rig beside it."""
    seed = f"{CHECKOUT}:{os.environ.get('IKOMA_RIG', '')}"
    return hashlib.sha256(seed.encode()).hexdigest()[:5]


def all_rigs() -> Path:
    """The folder that holds the state of every rig of this user."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "ikoma-bridge"


def home() -> Path:
    """The state folder of this rig."""
    return all_rigs() / f"rig-{rig_id()}"


def box_home(name: str) -> Path:
    """The folder of one box: its disk, its shared sockets, its log."""
    return home() / "boxes" / name


def share(name: str) -> Path:
    """The folder a box sees as ``/run/rig``."""
    path = box_home(name) / "share"
    if len(str(path / "docker.sock")) > LONGEST_SOCKET_PATH:
        raise RigError(f"{path} is too long for a socket; set XDG_STATE_HOME to a shorter folder")
    return path


def cache() -> Path:
    """The download cache; the only thing ``rig down`` keeps."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ikoma-bridge"


@contextlib.contextmanager
def locked() -> Iterator[State]:
    """Load the state under an exclusive lock: two ``up`` in parallel run one after the other.

    The lock is the kernel's, on a file in the cache that is never removed: it cannot outlive its holder.
    """
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{rig_id()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield load()


def load() -> State:
    """The remembered state, or a fresh one."""
    path = home() / "state.json"
    if not path.exists():
        return State(rig=rig_id())
    stored = _known(State, json.loads(path.read_text()))
    stored["boxes"] = {name: Box(**_known(Box, box)) for name, box in stored["boxes"].items()}
    return State(**stored)


def _known(kind: type, stored: dict[str, Any]) -> dict[str, Any]:
    """The fields this version knows: a rig started by another version can still be asked and taken down."""
    names = {item.name for item in dataclasses.fields(kind)}
    return {key: value for key, value in stored.items() if key in names}


def save(state: State) -> None:
    """Write the state at once and whole."""
    write_private(home() / "state.json", json.dumps(dataclasses.asdict(state), indent=1))


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner reads, whole or not at all; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    return fresh.rename(path)
