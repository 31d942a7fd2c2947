"""A throw-away PostgreSQL cluster: made of the host's own programs, reached by a socket alone, always removed.

It has no network and no schedulers, writes to a folder of its own, and is gone when its process is: what a killed
worker leaves behind is swept by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import psycopg

from agent.database.proof import room
from agent.host import platform, process
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

NEEDED_MB: Final = 256
"""Free disk without which no proof begins."""

_BINARIES: Final = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin", "/usr/local/pgsql-{}/bin")
_STARTS_WITHIN: Final = 30.0
_FOLDER_TRIES: Final = 5
FILE_BYTES: Final = 2 << 30
"""What one file of a cluster may hold."""

_PROCESS_BYTES: Final = 4 << 30
_UNPRIVILEGED: Final = ("--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all")
SETTINGS: Final = {
    "listen_addresses": "", "port": "5432", "unix_socket_directories": ".", "unix_socket_permissions": "0700",
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal",
    "max_wal_senders": "0", "max_wal_size": "64MB", "min_wal_size": "32MB", "checkpoint_timeout": "1h",
    "autovacuum": "off", "max_connections": "16", "superuser_reserved_connections": "3", "shared_buffers": "32MB",
    "work_mem": "8MB", "maintenance_work_mem": "64MB", "temp_file_limit": "1GB", "max_locks_per_transaction": "1024",
    "max_logical_replication_workers": "0", "max_parallel_workers": "0", "jit": "off", "track_activities": "on",
    "logging_collector": "off", "log_min_messages": "warning", "cron.launch_active_jobs": "off",
}  # fmt: skip


_FORKED: Final = "--fork"
_HIDDEN: Final = tuple(
    "/run /srv /home /root /tmp /var/tmp /etc/ikoma /var/log /var/backups /var/lib/docker /var/lib/containerd".split()  # noqa: SIM905
)
_CAGE: Final = """
cd "$1"
mount -t proc proc /proc || :
for socket in %(sockets)s; do
  if [ -S "$socket" ]; then mount --bind /dev/null "$socket"; fi
done
for place in %(hidden)s; do
  if [ -d "$place" ]; then mount -t tmpfs -o mode=755,size=1m hidden "$place"; fi
done
mkdir -p "$1"
mount --no-canonicalize --bind . "$1"
cd "$1"
shift
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the server's programs of one major version are."""

    major: int
    folder: Path

    def of(self, name: str) -> str:
        return str(self.folder / name)

    def library(self, name: str) -> bool:
        """Whether a library that the live server preloads exists here as well."""
        return "/" not in name and (self.folder.parent / "lib" / f"{name}.so").exists()


def programs(major: int) -> Programs | None:
    """Return the server's programs of ``major``, None where the host has none."""
    for pattern in _BINARIES:
        folder = Path(pattern.format(major))
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return Programs(major, folder)
    return None


@contextmanager
def cluster(
    found: Programs, state: Path, superuser: str, preload: Sequence[str] = (), most_mb: int = room.MOST_MB
) -> Iterator[Dsn]:
    """Yield the superuser's connection to a fresh cluster; at the end it is stopped and removed.

    Args:
        state: the agent's state folder; the cluster lives below it.
        superuser: what its first role is called, as in the live cluster.
        preload: libraries that the live server preloads; those that are missing here are left out.
        most_mb: what it may take of the disk, in MiB.

    Raises:
        IkomaError: ``proof.no_disk`` or ``proof.no_start``; ``proof.over_disk`` or ``proof.disk_low`` when it was
            stopped because of what it wrote.
    """
    with folder(prepared(state)) as place:
        _initialise(found, place, superuser)
        libraries = ",".join(name for name in preload if found.library(name))
        server = _server(found, place, superuser, {"shared_preload_libraries": libraries})
        with server as running, room.kept(place, most_mb, running.stop):
            yield running.admin


def sweep(state: Path) -> int:
    """Stop and remove what killed workers left; return how many. A cluster whose worker lives is left alone."""
    folders, gone = base(state), 0
    for folder in folders.glob("cluster-*"):
        with _locked(folder) as free:
            if free:
                _stop_orphan(folder / "data")
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
    return gone


def base(state: Path) -> Path:
    """Return the folder of all clusters. A server refuses to be root, and root's own folders are closed to others."""
    place = state / "proof" if os.geteuid() else Path(tempfile.gettempdir()) / "ikoma-proof"
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    return place


def prepared(state: Path) -> Path:
    """Sweep the folder of all clusters and return it. Raises ``IkomaError("proof.no_disk")``."""
    place = base(state)
    sweep(state)
    free = platform.free_mb(place)
    if free < NEEDED_MB:
        raise IkomaError("proof.no_disk", needed=NEEDED_MB, free=free, folder=place)
    return place


@contextmanager
def folder(base: Path) -> Iterator[Path]:
    """Yield a new folder whose lock we hold.

    Raises:
        IkomaError: ``proof.no_start`` if others took it every time.
    """
    for _ in range(_FOLDER_TRIES):
        made = Path(tempfile.mkdtemp(dir=base, prefix="cluster-"))
        try:
            with _locked(made) as ours:
                if not ours or not made.exists():  # swept by another worker before it had a lock
                    continue
                if not os.geteuid():
                    shutil.chown(made, "nobody", "nogroup")
                yield made
                return
        finally:
            shutil.rmtree(made, ignore_errors=True)
    raise IkomaError("proof.no_start", reason=f"every new folder in {base} was removed at once")


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the lock that says that a cluster's worker lives; yield whether it could be had."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _initialise(found: Programs, folder: Path, superuser: str) -> None:
    options = [
        "--no-sync",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--wal-segsize=4",
        f"--username={superuser}",
    ]
    argv = [*_as_nobody(), found.of("initdb"), "--pgdata=data", *options]
    done = process.run(argv, cwd=folder, timeout=120, check=False)
    if not done.ok:
        raise IkomaError("proof.no_start", reason=done.last_lines(3))


@dataclass(frozen=True, slots=True)
class _Running:
    admin: Dsn
    stop: Callable[[], None]


def _as_nobody() -> list[str]:
    return [] if os.geteuid() else ["setpriv", *_UNPRIVILEGED, "--"]


@contextmanager
def _server(found: Programs, folder: Path, superuser: str, more: dict[str, str]) -> Iterator[_Running]:
    settings = [f"-c{name}={value}" for name, value in (SETTINGS | more).items()]
    argv = [*_alone(folder), *_caged(), found.of("postgres"), "-D", str(folder / "data"), *settings]
    log = folder / "log"
    started = process.start(argv, log, cwd=folder)
    forked = _FORKED in argv
    try:
        yield _Running(_wait(started, log, superuser, forked=forked), lambda: _stop(started, forked=forked))
    finally:
        _stop(started, forked=forked)
        started.wait()


def _stop(started: process.Started, *, forked: bool) -> None:
    """End a server at once. One that has ended is left alone: its number may be another's by now."""
    if started.alive:
        for pid in _children(started.pid) if forked else [started.pid]:
            _signal(pid, signal.SIGQUIT)


def is_caged(state: Path) -> bool:
    """Say whether a server here reaches nothing of the host, whatever its superuser makes it run."""
    return not os.geteuid() or bool(_cage(str(base(state))))


def _alone(folder: Path) -> list[str]:
    """Return the words that take the network away and, of the agent's own user, what that user may reach."""
    if not os.geteuid():
        return list(_without_network())
    cage = _cage(str(folder.parent))
    return [*cage, str(folder), *_enter()] if cage else []


@cache
def _without_network() -> tuple[str, ...]:
    words = ("unshare", "--net", "--")
    return words if process.run([*words, "true"], check=False, timeout=10).ok else ()


def _enter() -> tuple[str, ...]:
    """Return the words that make us the ordinary user again, without a right over what the cage hides."""
    return ("unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}", "--")


@cache
def _cage(base: str) -> tuple[str, ...]:
    """Return the words that start a cage, where the kernel lets us; what it shows and runs comes behind them.

    The agent's user may talk to the Engine, and a superuser's SQL may run programs: the server sees neither sockets,
    nor other processes, nor anything of the agent but its own folder, and cannot take that back.
    """
    script = _CAGE % {"hidden": shlex.join((*_HIDDEN, str(Path(base).parent))), "sockets": shlex.join(_sockets())}
    words = (
        *process.with_parent(["unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", _FORKED]),
        "--kill-child", "--", "sh", "-ec", script, "cage",
    )  # fmt: skip
    tried = process.run([*words, base, *_enter(), "true"], check=False, timeout=10)
    return words if tried.ok else ()


def _sockets() -> list[str]:
    """Return the sockets that have a name in the file system: the Engine's may lie anywhere."""
    lines = Path("/proc/net/unix").read_text(errors="replace").splitlines()
    return sorted({line[line.index(" /") + 1 :] for line in lines if " /" in line})


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] or [pid]
    except OSError:
        return [pid]


def _caged() -> list[str]:
    """Return the words that end the server with its parent and bound what it writes."""
    drop = _UNPRIVILEGED if not os.geteuid() else ()
    return [
        "prlimit",
        f"--fsize={FILE_BYTES}",
        f"--as={_PROCESS_BYTES}",
        "--",
        "setpriv",
        *drop,
        "--pdeathsig",
        "QUIT",
        "--",
    ]


def _wait(started: process.Started, log: Path, superuser: str, *, forked: bool) -> Dsn:
    deadline = time.monotonic() + _STARTS_WITHIN
    place = f"/proc/{started.pid}/cwd"  # a socket's own path may be too long for the kernel
    dsn = Dsn(f"{place}/data" if forked else place, superuser, "template1")
    while time.monotonic() < deadline and started.alive:
        try:
            psycopg.connect(**dsn.keywords()).close()  # type: ignore[arg-type]
            return dsn
        except psycopg.OperationalError:
            time.sleep(0.01)
    raise IkomaError("proof.no_start", reason=" ".join(log.read_text(errors="replace").split()[-40:]))


def _stop_orphan(data: Path) -> None:
    """End the server of a folder whose worker is gone; the number is checked, for the kernel uses numbers again."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        ours = Path(f"/proc/{pid}/cwd").resolve() == data.resolve()
    except (OSError, ValueError, IndexError):
        return
    if ours:
        _signal(pid, signal.SIGQUIT)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
