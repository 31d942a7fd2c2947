"""What a capability is, as plain data, and one small table for each family of them. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Capability:
    """One verb of the agent. Its module is imported when it is called, never before.

    A read has ``run(call) -> dict``. A change has ``steps(ctx) -> list[Step]``, and may have ``check(call)``, which
    raises ``Misuse`` before an operation exists, and ``unchanged(call, bundle) -> dict | None``, which returns the
    result when there is nothing to do (standard library only, called under the target's lock).

    Attributes:
        role: the least role that may call it.
        changes: it starts an operation; otherwise it answers and ends.
        module: where it is written, e.g. ``agent.capabilities.deploy_apply``.
        needs_target: an app must be named; changes always need one.
        ends: the status of an operation that succeeds.
        takes: the names of its arguments; another one is refused. None: it takes any.
        writes: it answers and ends like a read, and yet changes something on the host (a key); for hints to assistants.
        additive: a change that replaces and removes nothing; assistants are told.
        secret_args: arguments that stay in memory: neither journalled, logged nor there in a recovery.
    """

    name: str
    role: Literal["observer", "operator", "builder"]
    changes: bool
    module: str
    summary_en: str
    summary_fr: str
    needs_target: bool = True
    ends: Literal["HEALTHY", "DONE"] = "DONE"
    takes: tuple[str, ...] | None = ()
    secret_args: tuple[str, ...] = ()
    additive: bool = False
    writes: bool = False
