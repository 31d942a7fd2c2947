"""Who asks over HTTP: a key by its secret, in a role that is no higher than its own, as often as it may."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from agent.doors.http_limits import Limiter
from agent.host import keys
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model import messages
from agent.model.errors import Misuse
from agent.protocol import ROLES


class UnknownKey(Misuse):
    """No key, or one that nobody knows; both are told alike."""

    def __init__(self) -> None:
        super().__init__("wire.unknown_key", key="X-Api-Key")

    def message(self, lang: str | None = None) -> str:
        return messages.text("http.unknown_key", {}, lang)

    def remedy(self, lang: str | None = None) -> str:
        return messages.remedy("http.unknown_key", {}, lang)


class TooMany(Misuse):
    """The caller has used up what it may ask for now; ``after`` are the seconds to wait, at least one."""

    def __init__(self, seconds: float) -> None:
        self.after = max(1, math.ceil(seconds))
        super().__init__("http.too_many", seconds=self.after)


class Gate:
    """Decides who gets in. An address that sends wrong keys is told so ten times, and then that it has to wait.

    That is for the history's sake, which must not fill with them: no secret can be guessed. Right keys always pass,
    or whoever shares an address could lock the others out.
    """

    def __init__(self, paths: Paths, settings: Settings) -> None:
        self._paths = paths
        self._requests = Limiter(settings.door_rate, settings.door_burst)
        self._guesses = Limiter(rate=1 / 6, burst=10)

    def admit(self, headers: Mapping[str, str], address: str) -> Grant:
        """Return what the caller may do, in the role that it asks for (``X-Role``) or else its key's own.

        Raises:
            Misuse: ``wire.unknown_key``, ``http.too_many``, ``http.role``, ``keys.invalid``.
        """
        grant = keys.authenticate(self._paths, headers.get("x-api-key", ""))
        if grant is None:
            raise TooMany(seconds) if (seconds := self._guesses.wait(address)) else UnknownKey()
        if seconds := self._requests.wait(grant.name):
            raise TooMany(seconds)
        return _in_role(grant, headers.get("x-role"))


def _in_role(grant: Grant, asked: str | None) -> Grant:
    if asked is None:
        return grant
    if asked not in ROLES:
        raise Misuse("wire.bad_request", reason=f"X-Role is none of {', '.join(ROLES)}")
    if not grant.has_role(asked):
        raise Misuse("http.role", key=grant.name, role=grant.role, asked=asked)
    return dataclasses.replace(grant, role=asked)
