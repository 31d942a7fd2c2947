"""One invocation of the program by a person on the host."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from agent.capabilities import Index
from agent.host.paths import Paths


@dataclass(frozen=True, slots=True)
class Local:
    """Where the host's files are, what was typed, and what the agent can do."""

    paths: Paths
    options: argparse.Namespace
    index: Index
