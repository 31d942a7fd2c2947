"""``ikoma compose --app X WORDS…``: Docker Compose by hand, as the agent would call it, under the agent's locks.

Plain ``docker compose`` in the app's folder works as well, but runs into an operation that works there at the same
time, and leaves a container that it made anew without the names by which the proxy finds it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Final

from agent.doors.local import Local, person
from agent.host import audit, process
from agent.host import settings as host_settings
from agent.host.audit import Entry
from agent.model.errors import IkomaError, Misuse
from agent.model.names import PRODUCTION, Target, new_operation
from agent.operations.lock import HOUSEKEEPING, Holder, TargetLock
from agent.releases import reconcile
from agent.releases.site import Site

LOOKING: Final = frozenset(
    {"config", "events", "exec", "images", "logs", "ls", "port", "ps", "stats", "top", "version"}
)
"""What changes no container: it takes no lock."""

_PATIENCE: Final = 60.0
_PAUSE: Final = 0.1

REFUSED: Final = {"down": "deploy down", "kill": "deploy down", "rm": "deploy down", "stop": "deploy down"}
"""What the agent would undo a moment later, and what says to it that it is meant."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; everything behind them is Compose's."""
    parser.add_argument("--app", required=True)
    parser.add_argument("--env", "--environment", default=PRODUCTION, dest="environment")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="WORDS", help="such as: ps, logs -f web, up -d web")


def run(at: Local) -> int:
    """Run Compose with our own terminal; return its exit code."""
    target = Target(at.options.app, at.options.environment)
    words = [word for at_, word in enumerate(at.options.words) if at_ or word != "--"]
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb in REFUSED:
        options = f"--app {target.app}" + ("" if target.environment == PRODUCTION else f" --env {target.environment}")
        raise Misuse("compose.by_hand", verb=verb, instead=f"ikoma {REFUSED[verb]} {options}")
    site = Site(target, at.paths, host_settings.load(at.paths))
    if not site.home.compose.exists():
        raise Misuse("release.none", slug=site.slug)
    argv = [*site.project(site.home.compose).base(), *words]
    if verb in LOOKING or not verb:
        return process.attached(argv, env=site.environment(), cwd=site.home.base)
    return _locked(at, site, argv, verb)


def _locked(at: Local, site: Site, argv: list[str], verb: str) -> int:
    lock, mine = (
        TargetLock(at.paths, site.target),
        Holder(new_operation(), f"compose {verb}", client={"user": person()}),
    )
    if not _taken(lock, mine):
        other = lock.holder() or mine
        raise IkomaError("operation.busy", target=site.target, holder=other.operation, since=other.since,
                         client=other.who())  # fmt: skip
    try:
        code = process.attached(process.under_lock(site.compose_lock, argv), env=site.environment(), cwd=site.home.base)
        reconcile.reconcile(site)
    finally:
        lock.release()
        entry = Entry("local", "builder", "cli", "compose", "ok", site.target.app, site.target.environment)
        audit.append(at.paths, replace(entry, client={"user": person()}, note={"verb": verb}))
    return code


def _taken(lock: TargetLock, mine: Holder) -> bool:
    """Take the lock; the agent's own round, which is over in a moment, is waited for."""
    deadline = time.monotonic() + _PATIENCE
    while not lock.take(mine):
        holder = lock.holder()
        if (holder is not None and holder.operation != HOUSEKEEPING) or time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True
