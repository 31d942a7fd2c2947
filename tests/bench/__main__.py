"""``python -m tests.bench NAME``: see ``scripts/bench``."""

from __future__ import annotations

import argparse
import sys

from tests.bench import noop
from tests.rig.commands import RigError


def main() -> int:
    """Run one measurement; returns 0 when it could be made."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", choices=["noop"])
    parser.add_argument("--pairs", type=int, default=15, help="how many pairs of runs (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="decides who goes first in each pair (default: %(default)s)"
    )
    options = parser.parse_args()
    try:
        noop.measure(options.pairs, options.seed)
    except RigError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
