"""Paths, settings, keys, audit, processes: what the agent touches on its host."""
