"""``python -m tests.bench NAME``: see ``scripts/bench``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.bench import action, doors, lost, noop
from tests.bench.rollout import measure
from tests.rig.commands import RigError


def main() -> int:
    """Run one measurement; returns 0 when it could be made."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True)
    nothing = names.add_parser("noop", help="a second run with nothing changed")
    nothing.add_argument("--pairs", type=int, default=15, help="how many pairs of runs (default: %(default)s)")
    switching = names.add_parser("rollout", help="releases under load")
    switching.add_argument("--count", type=int, default=20, help="how many releases (default: %(default)s)")
    switching.add_argument("--beside", type=int, default=20, help="of them with other tools (default: %(default)s)")
    switching.add_argument("--rate", type=float, default=measure.RATE, help="requests a second (default: %(default)s)")
    switching.add_argument("--kills", type=int, default=30, help="workers to kill (default: %(default)s)")
    switching.add_argument("--part", choices=measure.PARTS, action="append", help="only this (default: all)")
    switching.add_argument("--docker-rollout", type=Path, metavar="FILE", help="its script, to be measured as well")
    acting = names.add_parser("action", help="the check of a pull request")
    acting.add_argument("--rounds", type=int, default=5, help="how many, at least 2 (default: %(default)s)")
    asking = names.add_parser("doors", help="200 callers of the HTTP door while a release is deployed")
    asking.add_argument("--rounds", type=int, default=5, help="deployments (default: %(default)s)")
    asking.add_argument("--callers", type=int, default=200, help="at once (default: %(default)s)")
    losing = names.add_parser("host-lost", help="another host in the place of a lost one")
    losing.add_argument("--app", choices=sorted(lost.MAKE), default="tiny", help="(default: %(default)s)")
    losing.add_argument("--rows", type=int, default=1000, help="how many rows it has (default: %(default)s)")
    for one in (nothing, switching, asking):
        one.add_argument("--seed", type=int, default=1, help="decides the order (default: %(default)s)")
    options = parser.parse_args()
    try:
        if options.name == "noop":
            noop.measure(options.pairs, options.seed)
        elif options.name == "doors":
            doors.measure(options.rounds, options.callers, options.seed)
        elif options.name == "action":
            action.measure(options.rounds)
        elif options.name == "host-lost":
            lost.measure(options.app, options.rows)
        else:
            parts = options.part or measure.PARTS
            measure.measure(
                options.count, options.beside, options.seed, options.rate, options.kills, options.docker_rollout, parts
            )
    except RigError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
