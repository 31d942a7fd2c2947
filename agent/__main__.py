"""``ikoma-agent``: one program, entered by sshd, by the supervisor and by people on the host.

Each way in imports what it needs and no more: a call that only looks something up must not pay for what deploys.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from agent.capabilities import CAPABILITIES, Index
from agent.host.paths import Paths


def main(argv: Sequence[str] | None = None, index: Index = CAPABILITIES) -> int:
    """Run the agent with ``argv`` (by default the process's own) and return its exit code.

    Args:
        index: the capabilities it has; tests of the operations bring small ones of their own.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) == 3 and words[:2] == ["serve", "--key"]:
        from agent.doors.ssh import serve

        return serve(Paths.from_environment(), words[2], index, os.environ)
    from agent.doors.cli import run

    return run(Paths.from_environment(), words, index)


if __name__ == "__main__":
    sys.exit(main())
