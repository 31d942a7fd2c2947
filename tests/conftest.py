"""What every test may ask for, and which tests may run side by side."""

from __future__ import annotations

import pytest

from tests.fixtures.operations.fixtures import house
from tests.rig.fixtures import rig

__all__ = ["house", "rig"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the one host in a box to one worker, first of all: its tests take the longest. Others go by file."""
    for item in items:
        on_the_rig = "rig" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("rig" if on_the_rig else item.path.stem))
    items.sort(key=lambda item: "rig" not in getattr(item, "fixturenames", ()))
