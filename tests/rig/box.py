"""A VPS in a box: namespaces over a root of its own, held alive by its own PID 1."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.rig import cgroups, network
from tests.rig import state as states
from tests.rig.commands import RigError, attempt, run, say, wait_until
from tests.rig.state import Box, State

HERE = Path(__file__).parent
NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
Services = Sequence[dict[str, object]]  # name, argv and user of each program to keep alive
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def cgroup(state: State, box: Box) -> str:
    """The name of the box's control group."""
    return f"{_cgroups_of(state)}{box.name}"


def forgotten(state: State) -> list[Box]:
    """Boxes that left something on this machine although the state knows nothing of them."""
    prefix = _cgroups_of(state)
    names = {name.removeprefix(prefix) for name in cgroups.named(prefix)}
    folder = states.home() / "boxes"
    names |= {path.name for path in folder.iterdir()} if folder.exists() else set()
    return [Box(name, role="host", octet=0) for name in sorted(names - set(state.boxes))]


def is_running(box: Box) -> bool:
    """Whether the very process we started as PID 1 of the box still lives."""
    return box.pid is not None and _start_time(box.pid) == box.started


def is_up(box: Box) -> bool:
    """Whether the box runs and its services were let go: an ``up`` that was killed leaves one that waits for ever."""
    return is_running(box) and (states.share(box.name) / "go").exists()


def root(box: Box) -> Path:
    """The box's file system as seen from outside; only while it runs."""
    return Path(f"/proc/{box.pid}/root")


def start(state: State, box: Box, lower: Path, services: Services, furnish: Callable[[], None]) -> None:
    """Start a box over its disk: boot, lay the cable, ``furnish`` its files, let its services go.

    ``services`` are name, argv and user of each program that PID 1 keeps alive.
    """
    say(f"starting {box.name} ({box.role}, {state.address(box.octet)})")
    stop(state, box)
    share = states.share(box.name)
    shutil.rmtree(share, ignore_errors=True)
    (share / "stop").mkdir(parents=True)
    shutil.copy(HERE / "init.py", share / "init.py")
    (share / "services.json").write_text(json.dumps(list(services)))
    _boot(state, box, lower, _disk(box), share)
    network.plug(state, box)
    furnish()
    (share / "go").touch()


def stop(state: State, box: Box) -> None:
    """Kill the box's PID 1, and with it everything inside; its disk stays."""
    group = cgroup(state, box)
    if is_running(box) and box.pid is not None:
        os.kill(box.pid, signal.SIGKILL)
        # Its launcher, the last of the group, collects it and ends.
        wait_until(f"{box.name} to end", lambda: not cgroups.processes(group))
    _kill_stragglers(group)
    wait_until(f"all of {box.name} to end", lambda: not cgroups.processes(group))
    network.unplug(state, box)
    cgroups.remove(group)
    box.pid = box.started = None


def remove(state: State, box: Box) -> None:
    """Stop the box and delete its disk."""
    stop(state, box)
    home = states.box_home(box.name)
    for mounted in _mounts_below(home):
        run(["umount", "--lazy", mounted])
    shutil.rmtree(home, ignore_errors=True)
    if home.exists():
        run(["rm", "-rf", "--one-file-system", home])
    state.boxes.pop(box.name, None)


def inside(box: Box, argv: Sequence[str]) -> list[str]:
    """The command line that runs ``argv`` inside the box, as root, with a clean environment."""
    if not is_running(box):
        raise RigError(f"box {box.name} is not running; start it with `scripts/rig up`")
    terminal = f"TERM={os.environ.get('TERM', 'dumb')}"
    environment = [f"PATH={PATH}", "HOME=/root", "USER=root", "LANG=C.UTF-8", terminal]
    enter = ["nsenter", "--target", str(box.pid), *NAMESPACES, "--root", "--wdns=/"]
    return [*enter, "env", "--ignore-environment", *environment, *argv]


def execute(box: Box, *argv: str, stdin: str | None = None) -> str:
    """Run a program inside the box and return its output; RigError when it fails."""
    return run(inside(box, argv), stdin=stdin)


def succeeds(box: Box, *argv: str) -> bool:
    """Whether a program run inside the box ends with 0."""
    return attempt(inside(box, argv)).returncode == 0


def write(box: Box, path: str, text: str, mode: int = 0o644) -> None:
    """Write a file inside the running box."""
    target = root(box) / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=mode)
    target.chmod(mode)
    target.write_text(text)


def _cgroups_of(state: State) -> str:
    return f"ikoma-rig-{state.rig}-"


def _boot(state: State, box: Box, lower: Path, disk: Path, share: Path) -> None:
    group = cgroup(state, box)
    folders = cgroups.create(group)
    mounts = [word for each in cgroups.hierarchies() for word in (each.folder.name, each.options)]
    boot = ["sh", str(HERE / "boot.sh"), box.name, str(lower), str(disk), str(share), *mounts]
    join = 'for group in $1; do echo $$ >"$group/cgroup.procs"; done; shift; exec "$@"'
    unshare = ["unshare", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--pid", "--fork"]
    log = states.box_home(box.name) / "boot.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            ["sh", "-c", join, "sh", " ".join(map(str, folders)), *unshare, *boot],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env={"PATH": PATH, "LANG": "C.UTF-8"},
        )
    wait_until(f"{box.name} to boot (see {log})", lambda: _booted(process, share, log))
    box.pid = _children(process.pid)[0]
    box.started = _start_time(box.pid)
    states.save(state)


def _booted(process: subprocess.Popen[bytes], share: Path, log: Path) -> bool:
    if process.poll() is not None:
        raise RigError(f"the box ended while booting:\n{log.read_text()[-800:]}")
    return (share / "booted").exists()


def _disk(box: Box) -> Path:
    """The folder that holds all the box writes; a tmpfs of the asked size where the disk has to be small."""
    disk = states.box_home(box.name) / "disk"
    disk.mkdir(parents=True, exist_ok=True)
    if box.disk and str(disk) not in _mounts_below(disk):
        run(["mount", "-t", "tmpfs", "-o", f"size={box.disk},mode=755", f"rig-{box.name}", disk])
    return disk


def _mounts_below(folder: Path) -> list[str]:
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [path for path in reversed(mounted) if Path(path).is_relative_to(folder)]


def _kill_stragglers(group: str) -> None:
    """A box that died while booting may have left its launcher: all it started is in its group."""
    for pid in cgroups.processes(group):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _start_time(pid: int) -> int | None:
    """Clock ticks since boot when the process began; None when there is none (or only its remains)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
