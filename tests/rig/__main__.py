"""``python -m tests.rig``: see ``scripts/rig``."""

from tests.rig.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
