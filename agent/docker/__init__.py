"""Compose command lines (pure) and reads of the Engine API."""
