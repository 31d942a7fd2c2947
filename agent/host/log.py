"""The agent's own log, for what nobody foresaw: a traceback and the reference that the user was given."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from agent.host.paths import Paths


def record(paths: Paths, error: BaseException, redact: Callable[[str], str] = str) -> str:
    """Append the traceback of ``error``; return the reference to show. A log that cannot be written is no fault."""
    import traceback

    reference = os.urandom(4).hex()
    lines = redact("".join(traceback.format_exception(error)))
    write(paths, f"{reference} {lines}")
    return reference


def write(paths: Paths, text: str) -> None:
    """Append ``text`` with the time in front."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        fd = os.open(paths.log / "agent.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError:
        return
    try:
        os.write(fd, f"{stamp} {text.rstrip()}\n".encode())
    except OSError:
        return
    finally:
        os.close(fd)
