"""Facts about the host, read and never changed: processor, space, ports and who holds them, clock, agent's folders."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAMES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_LISTENING: Final = "0A"
_CLOCK_UNSYNCHRONISED: Final = 5
_TIMEX_BYTES: Final = 512  # struct timex is shorter everywhere; only its first field is ours (zero: change nothing)


def architecture() -> str:
    """Return the processor as images name it: ``amd64``, ``arm64``, or the kernel's own word."""
    return _NAMES.get(platform.machine(), platform.machine())


def free_mb(path: Path) -> int:
    """Return the free space, in MiB, of the file system that holds ``path`` or its nearest existing parent."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free // (1024 * 1024)


def size_mb(folder: Path) -> int:
    """Return how much the files below ``folder`` take, in MiB; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(place, name).lstat().st_blocks * 512
    return total // (1024 * 1024)


def writable(path: Path) -> bool:
    """Whether this process may create files in a folder."""
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)


def clock_synchronised() -> bool:
    """Whether the kernel believes its clock follows an outside source."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    state: int = ctypes.CDLL(None).adjtimex(buffer)
    return 0 <= state < _CLOCK_UNSYNCHRONISED


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listens on a TCP port; its name is empty when this process may not see it."""

    port: int
    pid: int | None = None
    program: str = ""

    def __str__(self) -> str:
        return f"{self.program} (pid {self.pid})" if self.pid else "?"


def listeners(proc: Path = Path("/proc")) -> dict[int, Listener]:
    """Return who listens on which TCP port, on any address but loopback alone."""
    sockets = {
        inode: port for table in ("tcp", "tcp6") for inode, port in listening(_read(proc / "net" / table)).items()
    }
    owners = _owners(proc, set(sockets)) if sockets else {}
    found: dict[int, Listener] = {}
    for inode, port in sockets.items():
        pid = owners.get(inode)
        if port not in found or pid:
            found[port] = Listener(port, pid, _read(proc / str(pid) / "comm").strip() if pid else "")
    return found


HTTP_DOOR: Final = "ikoma-http"
"""What the process of our own HTTP door calls itself."""


def holder(port: int, proc: Path = Path("/proc")) -> Listener | None:
    """Return who listens on a TCP port, on loopback too."""
    tables = [listening(_read(proc / "net" / table), loopback=True) for table in ("tcp", "tcp6")]
    inodes = {inode for table in tables for inode, held in table.items() if held == port}
    if not inodes:
        return None
    pid = next(iter(_owners(proc, inodes).values()), None)
    return Listener(port, pid, _read(proc / str(pid) / "comm").strip() if pid else "")


def listening(table: str, loopback: bool = False) -> dict[str, int]:
    """Return inode → port of the listening sockets in the text of ``/proc/net/tcp`` or ``tcp6``. Pure.

    ``loopback`` says whether those that only this host reaches count.
    """
    found: dict[str, int] = {}
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[3] == _LISTENING:
            address, _, port = words[1].rpartition(":")
            if loopback or not _loopback(address):
                found[words[9]] = int(port, 16)
    return found


def _loopback(address: str) -> bool:
    """Addresses stand there as little-endian words in hex: 127.x.y.z ends in 7F, ::1 is all zeros and one."""
    return address.endswith("7F") if len(address) == 8 else address == "0" * 24 + "01000000"


def _owners(proc: Path, inodes: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for process in proc.iterdir():
        if process.name.isdigit():
            found |= dict.fromkeys(inodes & set(_sockets(process / "fd")), int(process.name))
    return found


def _sockets(descriptors: Path) -> Iterator[str]:
    """Yield the inodes of a process's sockets; what is not ours to see, or closed meanwhile, is left out."""
    with suppress(OSError):
        for descriptor in descriptors.iterdir():
            with suppress(OSError):
                link = descriptor.readlink().name
                if link.startswith("socket:["):
                    yield link[8:-1]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
