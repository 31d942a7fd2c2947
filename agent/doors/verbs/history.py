"""``ikoma history [--app X]``: what ran on this host."""

from __future__ import annotations

import argparse
import json

from agent.doors import plain
from agent.doors.local import Local
from agent.model.errors import Exit
from agent.model.names import PRODUCTION, Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--app", help="by default all")
    parser.add_argument("--env", "--environment", default=PRODUCTION, dest="environment")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(at: Local) -> int:
    """Print the latest operations, newest first."""
    given, args = at.options, {"limit": at.options.limit}
    targets = [Target(given.app, given.environment)] if given.app else at.targets()
    found = [
        {"app": one.app, "environment": one.environment, **operation}
        for one in targets
        for operation in at.read("operations.list", at.body(one.app, one.environment, args))["operations"]
    ]
    newest = sorted(found, key=lambda one: str(one["created"]), reverse=True)[: given.limit]
    print(json.dumps(newest, ensure_ascii=False) if given.json else "\n".join(map(plain.operation, newest)))
    return Exit.DONE
