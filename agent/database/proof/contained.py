"""A throw-away PostgreSQL in a container of the live server's own image: its programs, its extensions, its locales.

It has no network, no capability, and of the host one folder; it ends when the process that wants it closes its
standard input, which the kernel does for one that is killed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from agent.database.backup.tools import Programs
from agent.database.proof import room, scratch
from agent.database.proof.likeness import Likeness
from agent.docker.engine import Engine
from agent.host import process
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

LABEL: Final = "ikoma.throw-away"
"""What its containers bear."""

_INSIDE: Final = "/throw-away"
_SERVES: Final = """
exec 3<&0
initdb --pgdata=data --no-sync --auth=trust --encoding=UTF8 --locale=C --wal-segsize=4 --username="$1"
shift
postgres -D data "$@" &
server=$!
(cat <&3 >/dev/null; kill -QUIT $server) &
wait $server
"""
_NOBODY: Final = 65534
_STARTS_WITHIN: Final = 90.0
_ENDS_WITHIN: Final = 30.0
_TRIES: Final = 4
_MEMORY: Final = "1g"
_PROCESSES: Final = 256
_IN_MEMORY: Final = "size=16m,mode=1777"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A throw-away cluster.

    Attributes:
        admin: its superuser's connection.
        programs: PostgreSQL's client programs, where they see the same connection.
    """

    admin: Dsn
    programs: Programs


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its id, and the folders of which it says that they are volumes."""

    id: str
    volumes: Sequence[str] = ()

    @property
    def written(self) -> list[str]:
        """Where a program of the image may count on being able to write."""
        return sorted({"/tmp", *self.volumes})  # noqa: S108


@contextmanager
def cluster(live: Programs, like: Likeness, state: Path, most_mb: int = room.MOST_MB) -> Iterator[Cluster]:
    """Yield a fresh cluster made of the image that the live server's container runs; at the end all of it is gone.

    Args:
        live: the programs in the live server's container.
        like: what the cluster's superuser is called, and which libraries are loaded if the image starts with them.
        state: the agent's state folder.
        most_mb: what it may take of the disk, in MiB.

    Raises:
        IkomaError: ``proof.no_disk``, or ``proof.no_container`` when the image does not come up; ``proof.over_disk``
            or ``proof.disk_low`` when it was stopped because of what it wrote.
    """
    engine = Engine(live.docker_socket)
    found = engine.container(live.container)
    if found is None:
        raise IkomaError("proof.no_container", image=live.container[:12], reason="its container is gone")
    image, name = str(found["Image"]), f"ikoma-throw-away-{secrets.token_hex(6)}"
    own = sorted(((engine.image(image) or {}).get("Config") or {}).get("Volumes") or {})
    with scratch.folder(scratch.prepared(state)) as folder:
        (folder / "passwd").write_text(passwd(_user()), encoding="ascii")
        running: _Running | None = None
        try:
            running = _first_that_starts(live.docker_socket, Image(image, own), name, folder, like)
            inside = replace(running.admin, host=_INSIDE)
            with room.kept(folder, most_mb, partial(engine.remove, name)):
                yield Cluster(running.admin, Programs(inside, container=name, docker_socket=live.docker_socket))
        finally:
            _end(engine, name, running)


@dataclass(frozen=True, slots=True)
class _Running:
    client: process.Started
    admin: Dsn


def _first_that_starts(socket: str, image: Image, name: str, folder: Path, like: Likeness) -> _Running:
    """Start the image with the libraries that live preloads, without those that its log says cannot be loaded."""
    libraries, label = list(like.preload), image.id.partition(":")[2][:12]
    for attempt in range(_TRIES):
        place, log = folder / f"{attempt}", folder / f"{attempt}.log"
        _made(place)
        settings = {"unix_socket_directories": _INSIDE, "shared_preload_libraries": ",".join(libraries)}
        settings = scratch.SETTINGS | configured(like.settings, libraries) | settings
        started = process.start(argv(socket, image, name, place, like.superuser, settings), log, cwd=folder)
        admin = _answered(started, place, like.superuser)
        if admin:
            return _Running(started, admin)
        _end(Engine(socket), name, _Running(started, Dsn("", "", "")))
        said = " ".join(log.read_text(errors="replace").split()[-60:])
        if not libraries:
            break
        left = loadable(libraries, said)
        libraries = left if left != libraries else []
        shutil.rmtree(place, ignore_errors=True)
    raise IkomaError("proof.no_container", image=label, reason=said)


def argv(socket: str, image: Image, name: str, place: Path, superuser: str, settings: Mapping[str, str]) -> list[str]:
    """Return the words that run an image as a cluster of ``place``. Pure but for who we are.

    On the disk it can write to ``place`` alone, whose size is watched. What the image calls a volume lies in memory:
    the Engine would make one on the disk, and makes none that cannot be written to.
    """
    user = _user()
    words = [
        *("docker", "--host", f"unix://{socket}", "run", "--rm", "--interactive", "--pull", "never", "--name", name),
        *("--label", f"{LABEL}=1", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--user", f"{user}:{user}", "--userns", "host", "--log-driver", "none", "--no-healthcheck"),
        *("--memory", _MEMORY, "--pids-limit", str(_PROCESSES), "--ulimit", f"fsize={scratch.FILE_BYTES}"),
        *("--mount", f"type=bind,src={place},dst={_INSIDE}"),
        *("--mount", f"type=bind,src={place.parent / 'passwd'},dst=/etc/passwd,readonly"),
        *("--read-only", *(word for path in image.written for word in ("--tmpfs", f"{path}:{_IN_MEMORY}"))),
        *("--workdir", _INSIDE, "--entrypoint", "sh", image.id, "-ec", _SERVES, "sh", superuser),
    ]
    return words + [f"-c{name}={value}" for name, value in settings.items()]


def configured(settings: Sequence[tuple[str, str]], libraries: Sequence[str]) -> dict[str, str]:
    """Return live's own settings of the libraries that are loaded, schedulers left out. Pure."""
    return {
        name: value for name, value in settings
        if name.partition(".")[0] in {_prefix(library) for library in libraries} and name not in scratch.SETTINGS
    }  # fmt: skip


def loadable(libraries: Sequence[str], said: str) -> list[str]:
    """Return the libraries that the log of a server that did not start says nothing about. Pure."""
    return [name for name in libraries if name not in said and f"{_prefix(name)}." not in said]


def _prefix(library: str) -> str:
    """Return what the settings of a library begin with."""
    return "cron" if library == "pg_cron" else library


def passwd(user: int) -> str:
    """Return the users of the container: initdb asks what its own is called. Pure."""
    return f"root:x:0:0::/:/bin/sh\npostgres:x:{user}:{user}::{_INSIDE}:/bin/sh\n"


def _user() -> int:
    """Return as whom the server runs: as us, who remove its files; a server refuses to be root."""
    return os.geteuid() or _NOBODY


def _made(place: Path) -> None:
    place.mkdir(mode=0o700)
    if not os.geteuid():
        shutil.chown(place, _NOBODY, _NOBODY)


def _answered(started: process.Started, place: Path, superuser: str) -> Dsn | None:
    """Wait for the server; return its superuser's connection, None when it ended or never answered."""
    dsn, deadline = Dsn(str(place), superuser, "template1"), time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and started.alive:
        try:
            psycopg.connect(**dsn.keywords()).close()  # type: ignore[arg-type]
            return dsn
        except psycopg.OperationalError:
            time.sleep(0.02)
    return None


def _end(engine: Engine, name: str, running: _Running | None) -> None:
    """Let the server end, and see to it that nothing of its container is left."""
    if running:
        running.client.end_input()
        deadline = time.monotonic() + _ENDS_WITHIN
        while running.client.alive and time.monotonic() < deadline:
            time.sleep(0.01)
    with contextlib.suppress(IkomaError):  # an Engine that is gone takes the container along
        engine.remove(name)
    if running:
        running.client.wait()
