"""Environment files of a target."""

from agent.capabilities.index import Capability

TABLE: tuple[Capability, ...] = ()
