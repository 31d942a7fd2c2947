"""The demonstration behind ``scripts/demo``."""
