"""What every test may ask for."""

from tests.rig.fixtures import rig

__all__ = ["rig"]
