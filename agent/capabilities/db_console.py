"""``db.console``: refused through every door but the host's own terminal, with the words to type there."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.model.errors import Misuse


def run(call: Call) -> dict[str, Any]:
    """Refuse. Raises ``Misuse("db.console")``."""
    raise Misuse("db.console", app=call.the_target.app, environment=call.the_target.environment)
