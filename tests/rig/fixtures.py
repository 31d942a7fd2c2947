"""Fixtures for tests that need a rig."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def command(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``scripts/rig`` to its end; a failure fails the test with all it said."""
    done = subprocess.run(
        [str(CHECKOUT / "scripts/rig"), *words],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=900,
    )
    if done.returncode != 0:
        raise AssertionError(f"scripts/rig {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return done


def exports(name: str = "host", **variables: str) -> dict[str, str]:
    """What ``scripts/rig env`` exports."""
    lines = command("env", "--name", name, **variables).stdout.splitlines()
    assignments = (shlex.split(line)[1] for line in lines)
    return dict(assignment.split("=", 1) for assignment in assignments)


def is_up() -> bool:
    """Whether every box of the rig runs."""
    return subprocess.run([str(CHECKOUT / "scripts/rig"), "status"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def rig() -> Iterator[dict[str, str]]:
    """The exports of a running rig; one that was down is taken down again at the end."""
    found_up = is_up()
    command("up")
    yield exports()
    if not found_up:
        command("down")
