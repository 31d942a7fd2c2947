"""What the integration tests may ask for, besides the rig."""

from tests.integration.postgres import cluster, database

__all__ = ["cluster", "database"]
