"""Measurements behind ``scripts/bench``."""
