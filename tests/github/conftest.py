"""A double of GitHub for each test; whatever GitHub's description does not allow fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.server import Server, serve
from tests.github.stage import Stage


@pytest.fixture
def github() -> Iterator[Server]:
    """The double; at the end nothing outside of GitHub's description may have been said, by either side."""
    with serve() as server:
        yield server
    assert server.violations == []


@pytest.fixture
def stage(github: Server, tmp_path: Path) -> Stage:
    """A job that reports to the double."""
    return Stage(github, tmp_path)
