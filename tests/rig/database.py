"""PostgreSQL of a host in a box: Debian's cluster, opened to the rig and to the host's containers."""

from __future__ import annotations

from urllib.parse import quote

from tests.rig import box as boxes
from tests.rig.commands import wait_until
from tests.rig.state import Box, State

VERSION = "17"
ADMINISTRATOR = "ikoma_admin"
CONFIGURATION = f"/etc/postgresql/{VERSION}/main"
SERVICE: dict[str, object] = {
    "name": "postgres",
    "user": "postgres",
    "argv": [
        f"/usr/lib/postgresql/{VERSION}/bin/postgres",
        "-D",
        f"/var/lib/postgresql/{VERSION}/main",
        "-c",
        f"config_file={CONFIGURATION}/postgresql.conf",
    ],
}
ACCESS = """
host all all 10.0.0.0/8 scram-sha-256
host all all 172.16.0.0/12 scram-sha-256
"""


def configure(box: Box) -> None:
    """Let the cluster listen on every address and ask for a password on each."""
    boxes.write(box, f"{CONFIGURATION}/conf.d/rig.conf", "listen_addresses = '*'\nmax_connections = 200\n")
    rules = boxes.root(box) / CONFIGURATION.lstrip("/") / "pg_hba.conf"
    if ACCESS not in rules.read_text():
        with rules.open("a") as known:
            known.write(ACCESS)
    socket_folder = boxes.root(box) / "run/postgresql"
    socket_folder.mkdir(exist_ok=True)
    boxes.execute(box, "chown", "postgres:postgres", "/run/postgresql")


def wait(box: Box) -> None:
    """Wait until the cluster takes connections."""
    wait_until(f"PostgreSQL of {box.name}", lambda: boxes.succeeds(box, "pg_isready", "--quiet"), seconds=90)


def make_administrator(state: State, box: Box) -> None:
    """Give the cluster the role whose connection goes into the host's settings; the password travels by stdin."""
    statement = f"""
        DO $$ BEGIN CREATE ROLE {ADMINISTRATOR} SUPERUSER LOGIN;
        EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        ALTER ROLE {ADMINISTRATOR} PASSWORD '{state.database_password}';
    """
    psql = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname=postgres"]
    boxes.execute(box, "runuser", "--user=postgres", "--", *psql, stdin=statement)


def dsn(state: State, address: str, database: str) -> str:
    """The administrator's connection to a database of the cluster at ``address``."""
    return f"postgresql://{ADMINISTRATOR}:{state.database_password}@{address}:5432/{quote(database)}"
