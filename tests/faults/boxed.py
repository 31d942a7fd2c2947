"""A PostgreSQL that runs in a container of the host, as a self-hosted platform runs its own: no port is published."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.lab import CHECKOUT, Lab

SUPERUSER = "platform_admin"
MIGRATOR = "migrator"
PASSWORD = "p%40ss word"
_SERVES = """
PATH=$(echo /usr/lib/postgresql/*/bin):/bin
[ -d /tmp/data ] || initdb -D /tmp/data -U platform_admin --auth=trust >/dev/null
echo 'host all all all scram-sha-256' >>/tmp/data/pg_hba.conf
exec postgres -D /tmp/data -c 'listen_addresses=*' -c unix_socket_directories=/tmp -c shared_preload_libraries=%s \
  -c only_here.level=3 -c auto_explain.log_min_duration=5000
"""
_LIBRARIES = "only_here,auto_explain"
_PLATFORM = f"""
create schema extensions;
create extension only_in_image schema extensions;
create schema auth;
create table auth.users (id int primary key);
insert into auth.users values (42);
grant usage on schema extensions, auth to {MIGRATOR};
grant select, references on auth.users to {MIGRATOR};
"""
_STARTS_WITHIN = 30.0


@dataclass
class Server:
    """A running container; ``service`` is what its compose project calls it."""

    lab: Lab
    name: str
    service: str
    image: str

    def sql(self, statement: str, database: str = "postgres", *, check: bool = True) -> str:
        """Run a statement as the superuser and return what it printed."""
        words = [
            "sh",
            "-c",
            'exec /usr/lib/postgresql/*/bin/psql "$@"',
            "psql",
            "-qtA",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "/tmp",
            "-U",
            SUPERUSER,
            "-d",
            database,
        ]
        return self.lab.inside("docker", "exec", "-i", self.name, *words, check=check, text=statement).strip()

    def dsn(self, database: str, host: str = "") -> str:
        """Return the migrator's connection, by default by the name of the service."""
        return f"host={host or self.service} dbname={database} user={MIGRATOR} password='{PASSWORD}'"

    def start(self) -> None:
        """Start the container and wait until it answers."""
        self.lab.inside("docker", "start", self.name)
        deadline = time.monotonic() + _STARTS_WITHIN
        while self.sql("select 1", check=False) != "1":
            assert time.monotonic() < deadline, self.lab.inside("docker", "logs", self.name, check=False)
            time.sleep(0.2)

    def database(self, name: str) -> None:
        """Make a database of the migrator's, with schemas of a platform and the extension that no host has."""
        self.sql(f"create database {name} owner {MIGRATOR}")
        self.sql(_PLATFORM, name)

    def address(self) -> str:
        """Return where it is now."""
        query = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return self.lab.inside("docker", "inspect", "--format", query, self.name).strip()


@contextmanager
def server(lab: Lab, image: str) -> Iterator[Server]:
    """Yield a running server. It preloads a library that its container has and its image has not."""
    mark = secrets.token_hex(3)
    made = Server(lab, f"platform-{mark}-db-1", f"db-{mark}", image)
    labels = {"com.docker.compose.project": f"platform-{mark}", "com.docker.compose.service": made.service}
    words = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    script = _SERVES % _LIBRARIES
    lab.inside("docker", "create", "--name", made.name, *words, "--user", "postgres", "--entrypoint", "sh", image,
               "-ec", script)  # fmt: skip
    try:
        lab.inside("sh", "-ec", f"lib=$(ls -d /usr/lib/postgresql/*/lib | tail -1); "
                                f"docker cp -q $lib/pg_prewarm.so {made.name}:$lib/only_here.so")  # fmt: skip
        made.start()
        made.sql(f"create role {MIGRATOR} login password '{PASSWORD}' in role pg_read_all_settings")
        yield made
    finally:
        lab.inside("docker", "rm", "--force", "--volumes", made.name)


@contextmanager
def image(lab: Lab) -> Iterator[str]:
    """Yield the name of an image that holds PostgreSQL and an extension that the host lacks."""
    name = f"postgres-of-a-platform:{secrets.token_hex(3)}"
    script = (CHECKOUT / "tests/fixtures/postgres_image.sh").read_text(encoding="utf-8")
    lab.inside("sh", "-s", name, text=script)
    try:
        yield name
    finally:
        lab.inside("docker", "rmi", "--force", name)
