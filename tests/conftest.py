"""What every test may ask for, and which tests may run side by side."""

from __future__ import annotations

import pytest

from tests.fixtures.operations.fixtures import house
from tests.rig.fixtures import rig

__all__ = ["house", "rig"]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the one host in a box to one worker, first of all: its tests take the longest. Others go by file.

    A file of which one test uses that host goes there whole, for its tests share what they made.
    """
    on_the_rig = {item.path for item in items if "rig" in getattr(item, "fixturenames", ())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("rig" if item.path in on_the_rig else item.path.stem))
    items.sort(key=lambda item: item.path not in on_the_rig)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to spread tests that share a host, should pytest-xdist not have understood the groups."""
    grouped = getattr(session.config.option, "loadgroup", False)
    if grouped and session.items and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist lost the groups of the tests: is its version right for this pytest?")
