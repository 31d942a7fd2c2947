"""A PostgreSQL cluster of the tests' own: made by initdb, run as an unprivileged user, stopped by its pid."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from agent.database.connect import Connection, connect
from agent.model.dsn import Dsn
from agent.model.secret import Secret

PASSWORD = "Adm1n %@' \"?#/" + "é"  # every administrator's worst idea, on purpose
_STARTS_WITHIN_S = 30.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Cluster:
    """A running cluster and how its superuser reaches it."""

    admin: Dsn
    log: Path

    def database(self) -> Dsn:
        """Create an empty database with an owner of its own; return the owner's connection."""
        name = f"probe_{os.getpid()}_{next(_numbers)}"
        password = secrets.token_hex(12)
        with connect(self.admin, "tests") as connection:
            connection.execute(f"create role {name} login password '{password}'".encode())
            connection.execute(f"create database {name} owner {name}".encode())
        return replace(self.admin, user=name, database=name, password=Secret(password))

    def inside(self, dsn: Dsn) -> Connection:
        """Return a superuser's session in somebody's database."""
        return connect(replace(self.admin, database=dsn.database), "tests")


def binaries() -> Path:
    """Return the folder of the newest server programs of this machine."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else Path(shutil.which("initdb") or "initdb")
    return found.parent


def major() -> int:
    """Return the major version of those programs."""
    return int(binaries().parts[-2])


def unprivileged() -> list[str]:
    """Return the words before a command that the server must not run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all", "--"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _initialise(folder: Path) -> Path:
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD + "\n")
    if os.geteuid() == 0:
        for path in (folder, secret):
            shutil.chown(path, "nobody", "nogroup")
    options = ["--username=admin", f"--pwfile={secret}", "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8"]
    command = [*unprivileged(), str(binaries() / "initdb"), f"--pgdata={data}", "--locale=C.UTF-8", *options]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return data


def _start(folder: Path, data: Path, port: int, more: dict[str, str]) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
        "max_connections": 40, "log_statement": "all", "shared_buffers": "32MB",
    }  # fmt: skip
    words = [word for name, value in (settings | more).items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        command = [*unprivileged(), str(binaries() / "postgres"), "-D", str(data), *words]
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def _wait(admin: Dsn, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(**admin.keywords()).close()  # type: ignore[arg-type]
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")


@contextmanager
def running(**settings: str) -> Iterator[Cluster]:
    """Yield a cluster on a loopback port, in a folder that is removed with it; ``settings`` of the server are added."""
    folder = Path(tempfile.mkdtemp(prefix="ikoma-postgres-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        data, port = _initialise(folder), free_port()
        admin = Dsn("127.0.0.1", "admin", "postgres", Secret(PASSWORD), port)
        server = _start(folder, data, port, settings)
        _wait(admin, server, folder / "log")
        yield Cluster(admin, folder / "log")
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster for the whole run."""
    with running() as found:
        yield found


@pytest.fixture
def database(cluster: Cluster) -> Dsn:
    """An empty database with an owner of its own."""
    return cluster.database()
