"""What a capability is given. Standard library only: fast path."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import Misuse
from agent.model.names import Target

_DIGITS: Final = re.compile("[0-9]{1,18}")
"""Not ``isdigit``: that takes “²” as well, and any length."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that passed the door: the role suffices and the key may act on the target."""

    target: Target | None
    args: dict[str, Any]
    paths: Paths
    settings: Settings
    lang: str = "en"
    key: str = ""
    role: str = "observer"
    client: dict[str, str] = field(default_factory=dict)
    operation: str = ""
    grant: Grant = field(default_factory=lambda: Grant("", "", (), ()))

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return an argument that is a whole number, or digits. Raises ``Misuse("wire.number")``."""
        value = self.args.get(name, default)
        if not _DIGITS.fullmatch(str(value)) or not least <= int(value) <= most:
            raise Misuse("wire.number", argument=name, most=most)
        return int(value)

    @property
    def the_target(self) -> Target:
        """The target, for capabilities that need one. Raises ``Misuse("wire.bad_request")`` without."""
        if self.target is None:
            raise Misuse("wire.bad_request", reason="no app is named")
        return self.target
