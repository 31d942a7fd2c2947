"""``python -m tests.demo up | break | down``: see ``scripts/demo``."""

from __future__ import annotations

import sys

from tests.demo.story import break_it, take_down, tell
from tests.rig.commands import RigError

STORIES = {"up": tell, "break": break_it, "down": take_down}


def main() -> int:
    """Tell one story; returns its exit code."""
    try:
        return STORIES[sys.argv[1] if len(sys.argv) > 1 else "up"]()
    except RigError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
