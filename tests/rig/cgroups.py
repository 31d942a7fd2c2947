"""A control group per box, so that what runs inside is counted apart and leaves nothing behind."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Hierarchy:
    """One mounted hierarchy: its mount point on this machine and the options that mount it again."""

    folder: Path
    options: str


def is_unified() -> bool:
    """Whether this machine has cgroup v2 alone."""
    return (ROOT / "cgroup.controllers").exists()


def parse_hierarchies(mounts: str) -> list[Hierarchy]:
    """The cgroup v1 hierarchies listed in the text of ``/proc/mounts``."""
    rows = [line.split() for line in mounts.splitlines()]
    generic = {"rw", "ro", "relatime", "nosuid", "nodev", "noexec"}
    found = []
    for row in rows:
        if row[2] != "cgroup":
            continue
        options = [word for word in row[3].split(",") if word not in generic and "=/" not in word]
        if any(word.startswith("name=") for word in options):
            options = ["none", *options]
        found.append(Hierarchy(Path(row[1]), ",".join(options)))
    return found


def hierarchies() -> list[Hierarchy]:
    """What a box has to join, leave and mount."""
    if is_unified():
        return [Hierarchy(ROOT, "")]
    return parse_hierarchies(Path("/proc/mounts").read_text())


def create(name: str) -> list[Path]:
    """Make the group ``name`` in every hierarchy and return its folders."""
    folders = [hierarchy.folder / name for hierarchy in hierarchies()]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        _open_cpuset(folder)
    return folders


def _open_cpuset(folder: Path) -> None:
    """A new v1 cpuset is empty and takes no process until it is given what its parent has."""
    for key in ("cpuset.cpus", "cpuset.mems"):
        if not is_unified() and (folder / key).exists():
            (folder / key).write_text((folder.parent / key).read_text())


def named(start: str) -> set[str]:
    """The names of the groups that begin with ``start``."""
    return {path.name for hierarchy in hierarchies() for path in hierarchy.folder.glob(f"{start}*")}


def processes(name: str) -> set[int]:
    """The ids of all processes in the group and below."""
    found: set[int] = set()
    for hierarchy in hierarchies():
        for listing in (hierarchy.folder / name).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):  # the group may vanish while we look
                found |= {int(word) for word in listing.read_text().split()}
    return found


def remove(name: str) -> None:
    """Remove the group with everything below it; what still holds a process stays."""
    for hierarchy in hierarchies():
        top = hierarchy.folder / name
        below = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for folder in [*below, top]:
            with contextlib.suppress(OSError):
                folder.rmdir()
