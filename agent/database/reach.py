"""To which database servers a key may send the agent. Pure.

The agent connects from inside the host's network, as nobody outside could. A key that is granted one app must not aim
it: it may name the servers that the administrator named (``database_hosts``), those that the agent provisions on, and
the one that the app has already. A key that is granted everything may name any.
"""

from __future__ import annotations

from typing import Final

from agent.host.keys import Grant
from agent.host.settings import Settings
from agent.model import dsn as dsns
from agent.model.dsn import Dsn
from agent.model.errors import Misuse

_AIMING: Final = frozenset({"hostaddr", "options", "sslcert", "sslcrl", "sslkey", "sslrootcert"})
"""Options that name another address, or a file on the host."""


def check(grant: Grant, settings: Settings, wanted: Dsn, present: Dsn | None) -> None:
    """Refuse a connection that the key may not bring.

    Args:
        present: the connection that the app has.

    Raises:
        Misuse: ``env.database_host``, ``env.database_option``.
    """
    if grant.everything:
        return
    known = present.options if present else ()
    for option in wanted.options:
        if option[0] in _AIMING and option not in known:
            raise Misuse("env.database_option", key=grant.name, option=option[0])
    if _place(wanted) not in _allowed(settings, present) and wanted.host.lower() not in _allowed(settings, present):
        raise Misuse("env.database_host", key=grant.name, host=_place(wanted))


def _allowed(settings: Settings, present: Dsn | None) -> set[str]:
    places = {place.lower() for place in (*settings.database_hosts, settings.database_address) if place}
    own = [present] if present else []
    if settings.admin_dsn:
        own.append(dsns.parse(settings.admin_dsn, "admin_dsn"))
    return places | {_place(dsn) for dsn in own}


def _place(dsn: Dsn) -> str:
    return f"{dsn.host.lower()}:{dsn.port}"
