"""Fixtures of the fault tests: the host in a box, disarmed before and after each test."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.faults.lab import Lab


@pytest.fixture
def lab(rig: dict[str, str]) -> Iterator[Lab]:
    """The running host, without injected faults."""
    lab = Lab(rig)
    lab.fault()
    before = lab.apps()
    yield lab
    lab.fault()
    lab.remove(lab.apps() - before)


@pytest.fixture
def chance() -> random.Random:
    """Chance that can be repeated: IKOMA_SEED picks another sample, and is printed on failure."""
    seed = os.environ.get("IKOMA_SEED", "1")
    print(f"IKOMA_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def long() -> bool:
    """Whether the whole matrix is asked for (scripts/test --long)."""
    return bool(os.environ.get("IKOMA_LONG"))
