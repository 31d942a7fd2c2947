"""What every test may ask for."""

from tests.fixtures.operations.fixtures import house
from tests.rig.fixtures import rig

__all__ = ["house", "rig"]
