"""``ikoma db console --app NAME``: psql on a target's database, for an administrator at the host's own terminal."""

from __future__ import annotations

import argparse
import os

from psycopg import conninfo

from agent.database import target
from agent.doors.local import Local
from agent.host import process
from agent.model.names import PRODUCTION, Target
from agent.protocol import Body

_NAME = "console"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the target, and psql's own words behind it."""
    parser.add_argument("--app", required=True)
    parser.add_argument("--environment", "--env", default=PRODUCTION)
    parser.add_argument("psql", nargs="*", help="words for psql, after --")


def run(at: Local) -> int:
    """Become psql. The password lies in a file that only this process has. Raises ``IkomaError("database.no_dsn")``."""
    asked = Target(at.options.app, at.options.environment)
    dsn = target.required(at.paths.target(asked), asked)
    at.service.audit("db.console", "ok", Body(app=asked.app, environment=asked.environment))
    words = {name: str(value) for name, value in dsn.keywords().items() if name != "password"}
    environment = process.MINIMAL | {name: os.environ[name] for name in ("TERM", "LANG") if name in os.environ}
    environment |= {"PGPASSFILE": _password_file(dsn.password.reveal()), "HOME": os.environ.get("HOME", "/")}
    os.execvpe("psql", ["psql", *at.options.psql, conninfo.make_conninfo(**words)], environment)  # noqa: S606


def _password_file(password: str) -> str:
    """Return the path of a file in memory, which is gone with the last process that has it open."""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    descriptor = os.memfd_create(_NAME, 0)  # without the flag that closes it when this becomes psql
    os.fchmod(descriptor, 0o600)
    os.write(descriptor, f"*:*:*:*:{escaped}\n".encode())
    return f"/proc/self/fd/{descriptor}"
