"""``ikoma clean --app X``: take a test deployment away, with its volumes and the repository that was synced for it."""

from __future__ import annotations

import argparse
import shutil

from agent.doors.local import Local
from agent.model import messages
from agent.model.errors import Exit
from agent.model.names import PRODUCTION, Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--app", required=True)
    parser.add_argument("--env", "--environment", default=PRODUCTION, dest="environment")
    parser.add_argument("--database", action="store_true", help="drop its database too; a backup is made before")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(at: Local) -> int:
    """Remove the app as ``apps.remove`` does, then the repository; a second run finds nothing to do."""
    target = Target(at.options.app, at.options.environment)
    repository, code = at.paths.repository(target), Exit.DONE
    if at.paths.target(target).base.exists():
        args = {"confirm": target.slug, "volumes": True, "database": at.options.database}
        code = Exit(at.change("apps.remove", at.body(target.app, target.environment, args)))
    if code == Exit.DONE and repository.is_dir():
        shutil.rmtree(repository)
    if code == Exit.DONE and not at.options.json:
        print(messages.text("host.clean", {"target": target}))
    return code
