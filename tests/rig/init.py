"""PID 1 of a box: starts its services, keeps them alive, reaps orphans, runs the units that a timer would run.

Stands alone (standard library, the box's own Python): a copy of this file is all a box gets to see of the rig.
``/run/rig/services.json`` lists the services; a file ``/run/rig/stop/NAME`` holds a service down.
"""

from __future__ import annotations

import configparser
import json
import os
import shlex
import signal
import time
from pathlib import Path
from typing import Any

SHARE = Path("/run/rig")
LOGS = Path("/var/log/rig")
UNITS = Path("/etc/systemd/system")
TICK_S = 0.1
RESTART_S = 1.0
UNIT_S = 2.0
GRACE_S = 10.0
TIMER_S = 10.0


class Service:
    """One program that has to run: as whom, and since when it may be tried again."""

    def __init__(self, name: str, argv: list[str], user: str = "root") -> None:
        self.name, self.argv, self.user = name, argv, user
        self.pid: int | None = None
        self.not_before = 0.0
        self.kill_at: float | None = None  # set while it is being asked to end

    def held(self) -> bool:
        """Whether someone asked for it to be down."""
        return (SHARE / "stop" / self.name).exists()

    def start(self) -> None:
        """Start it in a session of its own, its output in a log file."""
        self.not_before = time.monotonic() + RESTART_S
        self.pid = spawn(self.argv, self.user, LOGS / f"{self.name}.log")

    def tick(self) -> None:
        """Bring it nearer to the state it should have."""
        if self.pid is None:
            self.kill_at = None
            if not self.held() and time.monotonic() >= self.not_before:
                self.start()
        elif self.held():
            self.end()

    def end(self) -> None:
        """Ask it once to end; ten seconds later make it."""
        if self.pid is None:
            return
        if self.kill_at is None:
            self.kill_at = time.monotonic() + GRACE_S
            os.kill(self.pid, signal.SIGINT if self.name == "postgres" else signal.SIGTERM)
        elif time.monotonic() > self.kill_at:
            os.kill(self.pid, signal.SIGKILL)


class Timer:
    """What systemd would do with ``NAME.service`` and ``NAME.timer``, without systemd."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pid: int | None = None
        self.due = 0.0

    def held(self) -> bool:
        """Whether someone asked for it to be down."""
        return (SHARE / "stop" / self.name).exists()

    def tick(self) -> None:
        """Run the unit when it is there, due and not running yet."""
        unit, timer = UNITS / f"{self.name}.service", UNITS / f"{self.name}.timer"
        is_due = time.monotonic() >= self.due and unit.exists() and timer.exists()
        if self.pid is not None or self.held() or not is_due:
            return
        self.due = time.monotonic() + TIMER_S
        service = read_unit(unit)
        argv = shlex.split(service.get("ExecStart", "").lstrip("-@:+!"))
        if argv:
            self.pid = spawn(argv, service.get("User", "root"), LOGS / f"{self.name}.log")


class Unit:
    """What systemd would do with a ``NAME.service`` that something wants: keep it running."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pid: int | None = None
        self.not_before = 0.0

    def tick(self) -> None:
        """Start it when it is there and not running; end it when someone asked for it to be down."""
        unit, held = UNITS / f"{self.name}.service", (SHARE / "stop" / self.name).exists()
        if self.pid is not None:
            if held:
                os.kill(self.pid, signal.SIGTERM)
            return
        if held or not unit.exists() or time.monotonic() < self.not_before:
            return
        self.not_before = time.monotonic() + UNIT_S
        service = read_unit(unit)
        if argv := shlex.split(service.get("ExecStart", "").lstrip("-@:+!")):
            self.pid = spawn(argv, service.get("User", "root"), LOGS / f"{self.name}.log")


def read_unit(path: Path) -> dict[str, str]:
    """The ``[Service]`` section of a unit file; of a repeated key the last line counts."""
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read(path)
    except configparser.Error:
        return {}
    return dict(parser["Service"]) if parser.has_section("Service") else {}


def spawn(argv: list[str], user: str, log: Path) -> int:
    """Start a program as ``user`` with a clean environment; returns its process id."""
    if user != "root":
        argv = ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env", *argv]
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        redirect(log)
        os.execvpe(argv[0], argv, {"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8"})
    except OSError as error:
        os.write(2, f"{argv[0]}: {error}\n".encode())
    os._exit(127)


def redirect(log: Path) -> None:
    """Standard input from nowhere, output to ``log``; on a full disk output goes nowhere as well."""
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    except OSError:
        out = 0
    os.dup2(out, 1)
    os.dup2(out, 2)


def reap(children: list[Any]) -> None:
    """Collect every process that ended, ours or orphaned."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for child in children:
            if child.pid == pid:
                child.pid = None


def wait_for_go() -> None:
    """The outside lays the network cable and writes the box's files first."""
    (SHARE / "booted").touch()
    while not (SHARE / "go").exists():
        time.sleep(0.02)


def unify_cgroups() -> None:
    """With cgroup v2 a group that holds processes cannot hand controllers down: step aside first."""
    top = Path("/sys/fs/cgroup")
    if not (top / "cgroup.controllers").exists():
        return
    (top / "init").mkdir(exist_ok=True)
    for pid in (top / "cgroup.procs").read_text().split():
        (top / "init" / "cgroup.procs").write_text(pid)
    controllers = (top / "cgroup.controllers").read_text().split()
    (top / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))


def stop_all(services: list[Service]) -> None:
    """Ask every service to end and give them ten seconds; what is left dies with this process."""
    deadline = time.monotonic() + GRACE_S
    while any(service.pid for service in services) and time.monotonic() < deadline:
        for service in services:
            service.end()
        reap(services)
        time.sleep(TICK_S)


def main() -> None:
    """Run the box until it is asked to stop."""
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    wait_for_go()
    unify_cgroups()
    LOGS.mkdir(exist_ok=True)
    services = [Service(**entry) for entry in json.loads((SHARE / "services.json").read_text())]
    timers: list[Timer | Unit] = [Timer("ikoma-agent-recover"), Unit("ikoma-agent-http")]
    while not stopping:
        reap([*services, *timers])
        for service in services:
            service.tick()
        for timer in timers:
            timer.tick()
        time.sleep(TICK_S)
    stop_all(services)


if __name__ == "__main__":
    main()
