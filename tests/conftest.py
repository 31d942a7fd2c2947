"""What every test may ask for, and which tests may run side by side."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

from tests.fixtures.operations.fixtures import house
from tests.rig.fixtures import rig

__all__ = ["house", "rig"]


def pytest_configure() -> None:
    """Choose the examples, and give each worker of pytest-xdist a host in a box: the first takes what is up."""
    chance = bool(os.environ.get("IKOMA_LONG"))  # else the same examples each time: what fails was changed just now
    settings.register_profile("ours", derandomize=not chance, deadline=None)
    settings.load_profile("ours")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell ignores it for what runs in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if worker != "gw0":
        os.environ["IKOMA_RIG"] = os.environ.get("IKOMA_RIG", "") + worker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that use a host in a box first: their tests take the longest."""
    on_the_rig = {item.path for item in items if "rig" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in on_the_rig)
