"""What operations need to know of a capability; the index above this layer provides it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol

from agent.operations.step import Context, Step


class Verb(Protocol):
    """A changing capability."""

    @property
    def name(self) -> str: ...

    @property
    def module(self) -> str: ...

    @property
    def ends(self) -> str: ...

    @property
    def secret_args(self) -> tuple[str, ...]: ...


Verbs = Mapping[str, Verb]


def steps(verb: Verb, ctx: Context) -> list[Step]:
    """Import the capability and return its steps."""
    made: list[Step] = importlib.import_module(verb.module).steps(ctx)
    return made
