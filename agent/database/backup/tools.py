"""PostgreSQL's client programs of the server's own major, where they are, and how they get a password.

Never by a command line, never by a file on the disk: by a file that exists in this process alone, or, into a container,
by a variable whose name is all that the command line holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from psycopg import conninfo

from agent.database import whereabouts
from agent.docker.engine import Engine
from agent.host import process
from agent.host.restic import secret_file
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.secret import Secret

_FOLDERS: Final = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin", "/usr/local/pgsql-{}/bin")
_LOCAL: Final = {"localhost", "127.0.0.1", "::1", ""}
_FULL: Final = ("no space left on device", "disk quota exceeded", "file too large")
_TO_FILE: Final = 'out="$1"; shift; exec "$@" >>"$out"'
_FROM_FILE: Final = 'in="$1"; shift; exec "$@" <"$in"'


@dataclass(frozen=True, slots=True)
class Programs:
    """Where they are.

    Attributes:
        dsn: the database as they see it.
        folder: on this host; empty inside a container.
        container: the one that the server runs in.
    """

    dsn: Dsn
    folder: str = ""
    container: str = ""
    docker_socket: str = ""

    def inside(self, database: str) -> Programs:
        """Return the same for another database of the server."""
        return replace(self, dsn=replace(self.dsn, database=database))

    def argv(self, program: str, *options: str, database: bool = True) -> list[str]:
        """Return the command line. Pure; it holds no password."""
        where = ["--dbname=" + _words(self.dsn)] if database else []
        head = [str(Path(self.folder) / program)]
        if self.container:
            head = ["docker", "exec", "-i", "-e", "PGPASSWORD", self.container, program]
        return [*head, *options, *where]

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """Yield the environment of a program; what it says of the password is gone with this process."""
        if self.container:
            words = {"DOCKER_HOST": f"unix://{self.docker_socket}", "PGPASSWORD": self.dsn.password.reveal()}
            yield process.MINIMAL | words
            return
        with secret_file("pgpass", _pgpass(self.dsn.password)) as name:
            yield process.MINIMAL | {"PGPASSFILE": name, "PGCONNECT_TIMEOUT": "10"}

    def write(self, out: Path, argv: Sequence[str], seconds: float | None = None) -> None:
        """Append what a program says to a file. Raises as ``run``."""
        self.run(["sh", "-c", _TO_FILE, "sh", str(out), *argv], seconds)

    def read(self, source: Path, argv: Sequence[str], seconds: float | None = None) -> process.Completed:
        """Give a program a file to read. Raises as ``run``."""
        return self.run(["sh", "-c", _FROM_FILE, "sh", str(source), *argv], seconds)

    def run(self, argv: Sequence[str], seconds: float | None = None) -> process.Completed:
        """Run a program that dies with this process.

        Raises:
            IkomaError: ``backup.disk_full`` or ``backup.failed`` with its last lines; ``process.timeout``.
        """
        with self.environment() as env:
            done = process.run(process.with_parent(argv), env=env, timeout=seconds, check=False)
        if not done.ok:
            raise failure(done, argv)
        return done


def failure(done: process.Completed, argv: Sequence[str]) -> IkomaError:
    """Return the error for a program that failed."""
    said = done.last_lines(4)
    if any(sentence in said.lower() for sentence in _FULL):
        return IkomaError("backup.disk_full")
    known = [Path(word).name for word in argv if Path(word).name.startswith(("pg_", "psql", "restic"))]
    return IkomaError("backup.failed", program=(known or [argv[0]])[0], said=said[-700:] or str(done.code))


def of(dsn: Dsn, major: int, docker_socket: str = "") -> Programs:
    """Return the programs for a server of ``major``: its container's own, or this host's of the same major.

    Raises:
        IkomaError: ``backup.no_programs`` where there are none: a dump by another major may not restore.
    """
    found = in_container(dsn, docker_socket)
    if found:
        return found
    for pattern in _FOLDERS:
        folder = Path(pattern.format(major))
        if (folder / "pg_dump").exists() and (folder / "pg_restore").exists():
            return Programs(dsn, str(folder))
    raise IkomaError("backup.no_programs", major=major)


def in_container(dsn: Dsn, docker_socket: str) -> Programs | None:
    """Return the programs of the container that a server runs in, None where it runs in none that we see."""
    try:
        containers = Engine(docker_socket).all_containers() if docker_socket else []
    except IkomaError:  # no engine, no container
        return None
    for container in whereabouts.named(containers, dsn.host) or containers:
        port = serves(container, dsn)
        if port:
            seen = replace(dsn, host="127.0.0.1", port=port, options=())
            return Programs(seen, container=str(container["Id"]), docker_socket=docker_socket)
    return None


def serves(container: dict[str, Any], dsn: Dsn) -> int:
    """Return the port inside a running container at which ``dsn`` ends, 0 if it leads elsewhere. Pure."""
    if container.get("State") != "running":
        return 0
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    called = {name.lstrip("/") for name in container.get("Names") or []}
    called |= {whereabouts.service(container)}
    called |= {str(item.get("IPAddress")) for item in networks.values() if item.get("IPAddress")}
    if dsn.host and dsn.host in called:
        return dsn.port
    for port in container.get("Ports") or []:
        if dsn.host in _LOCAL and port.get("PublicPort") == dsn.port and port.get("Type", "tcp") == "tcp":
            return int(port["PrivatePort"])
    return 0


def _pgpass(password: Secret) -> Secret:
    text = password.reveal().replace("\\", "\\\\").replace(":", "\\:")
    return Secret(f"*:*:*:*:{text}\n")


def _words(dsn: Dsn) -> str:
    known = {name: value for name, value in dsn.keywords().items() if name != "password"}
    return conninfo.make_conninfo("", **known)
