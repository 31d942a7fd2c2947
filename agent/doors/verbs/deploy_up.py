"""``ikoma deploy up --app NAME [--ref main]``: as it was typed before, with the connection of the environment."""

from __future__ import annotations

import argparse
import os

from agent.database import target
from agent.doors.local import Local
from agent.host import envfile
from agent.model import dsn as dsns
from agent.model.names import PRODUCTION, Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the words of the command that this one replaces."""
    parser.add_argument("--app", required=True)
    parser.add_argument("--env", "--environment", default=PRODUCTION, dest="environment")
    parser.add_argument("--ref", help="a branch, tag or commit of the app's repository")
    parser.add_argument("--operation", help="the id of the operation, to repeat a call safely")
    parser.add_argument("--refuse", action="store_true", help="do not wait for a target that is held")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(at: Local) -> int:
    """Deploy or start; return the exit code. Raises ``Misuse("dsn.invalid")``."""
    options = at.options
    where = Target(options.app, options.environment)
    _keep(at, where)
    body = at.body(where.app, where.environment, {"ref": options.ref} if options.ref else {})
    body.on_busy = "refuse" if options.refuse else "wait"
    return at.change("deploy.up", body, operation=options.operation)


def _keep(at: Local, where: Target) -> None:
    """Make the connection in the environment the target's own, where it has none: its deployment outlives the shell."""
    given = {name: value for name in target.KEYS if (value := os.environ.get(name, "").strip())}
    home = at.paths.target(where)
    if target.DSN not in given or target.dsn(home) is not None:
        return
    dsns.parse(given[target.DSN], target.DSN)
    home.base.mkdir(parents=True, exist_ok=True)
    envfile.write(home.agent_env, given)
