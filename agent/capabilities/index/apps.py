"""Apps and what they run."""

from agent.capabilities.index import Capability

TABLE: tuple[Capability, ...] = ()
