"""Running programs, and the one error the rig shows to people."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class RigError(Exception):
    """Something a person has to know: the message says what failed and what to do."""


def run(argv: Sequence[str | Path], *, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run ``argv`` to its end and return its standard output.

    Raises RigError with the last lines the program wrote when it fails.
    """
    done = attempt(argv, stdin=stdin, env=env)
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise RigError(f"`{' '.join(map(str, argv[:6]))} …` failed ({done.returncode}):\n{tail}")
    return done.stdout


def attempt(
    argv: Sequence[str | Path], *, stdin: str | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``argv`` to its end and return the result whatever it is."""
    try:
        return subprocess.run(
            list(map(str, argv)),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            env=env,
            check=False,
        )
    except FileNotFoundError as missing:
        raise RigError(f"{missing.filename} is not installed; run scripts/setup") from missing


def wait_until(what: str, ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll ``ready`` until it is true; RigError naming ``what`` when ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RigError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.05)


def say(line: str) -> None:
    """One progress line for whoever waits."""
    print(f"rig: {line}", file=sys.stderr, flush=True)
