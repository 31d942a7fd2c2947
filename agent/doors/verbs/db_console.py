"""``ikoma db console --app NAME``: psql on a target's database, for an administrator at the host's own terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from psycopg import conninfo

from agent.database import target, whereabouts
from agent.database.backup import tools
from agent.database.backup.tools import Programs
from agent.doors.local import Local
from agent.host import process, settings
from agent.model.errors import IkomaError
from agent.model.names import PRODUCTION, Target
from agent.protocol import Body

_NAME = "console"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the target, and psql's own words behind it."""
    parser.add_argument("--app", required=True)
    parser.add_argument("--environment", "--env", default=PRODUCTION)
    parser.add_argument("psql", nargs="*", help="words for psql, after --")


def run(at: Local) -> int:
    """Become psql. The password lies in a file that only this process has. Raises as ``required`` and ``located``."""
    asked = Target(at.options.app, at.options.environment)
    dsn = target.required(at.paths.target(asked), asked)
    at.service.audit("db.console", "ok", Body(app=asked.app, environment=asked.environment))
    ours = {name: os.environ[name] for name in ("TERM", "LANG") if name in os.environ}
    if inside := tools.in_container(dsn, settings.load(at.paths).docker_socket):
        with inside.environment() as environment:
            _become(contained(inside, at.options.psql, terminal=sys.stdin.isatty()), environment | ours)
    words = {name: str(value) for name, value in whereabouts.located(dsn).keywords().items() if name != "password"}
    environment = process.MINIMAL | ours
    environment |= {"PGPASSFILE": _password_file(dsn.password.reveal()), "HOME": os.environ.get("HOME", "/")}
    _become(["psql", *at.options.psql, conninfo.make_conninfo(**words)], environment)


def contained(inside: Programs, words: Sequence[str], *, terminal: bool) -> list[str]:
    """Return the command line of psql in the server's own container. Pure; it holds no password."""
    docker, execute, *rest = inside.argv("psql", *words)
    return [docker, execute, *(["--tty"] if terminal else []), *rest]


def _become(words: list[str], environment: Mapping[str, str]) -> NoReturn:
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606
    except FileNotFoundError:
        raise IkomaError("process.missing", program=words[0]) from None


def _password_file(password: str) -> str:
    """Return the path of a file in memory, which is gone with the last process that has it open."""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    descriptor = os.memfd_create(_NAME, 0)  # without the flag that closes it when this becomes psql
    os.fchmod(descriptor, 0o600)
    os.write(descriptor, f"*:*:*:*:{escaped}\n".encode())
    return f"/proc/self/fd/{descriptor}"
