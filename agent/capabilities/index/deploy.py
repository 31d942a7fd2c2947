"""Releases."""

from agent.capabilities.index import Capability

TABLE: tuple[Capability, ...] = ()
