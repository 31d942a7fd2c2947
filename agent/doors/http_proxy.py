"""The HTTP door behind the host's reverse proxy: one more file of routes, to a socket in a folder that Caddy sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from agent.host.files import write_atomic
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import Misuse
from agent.model.names import Target
from agent.releases import proxy
from agent.releases.site import Site

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SOCKET: Final = "http-door.sock"
_SITE: Final = """\
%(sites)s {
%(tls)s	reverse_proxy unix//etc/caddy/%(socket)s
}
"""


def socket_path(paths: Paths) -> Path:
    """Where the door listens for Caddy."""
    return paths.proxy / _SOCKET


def route_path(paths: Paths) -> Path:
    """The file of the door's route; no target's slug can be this name."""
    return paths.proxy / "routes" / "_door.caddy"


def route(settings: Settings) -> str:
    """Return the door's route in Caddy's language, empty when it has no public name. Raises ``Misuse``."""
    name = settings.door_name
    if not name:
        return ""
    if not _HOST.fullmatch(name):
        raise Misuse("settings.invalid", file="settings.json", reason="door_name is no host name")
    sites = name if settings.public_tls else f"http://{name}, https://{name}"
    tls = "" if settings.public_tls else "\ttls internal\n"
    return _SITE % {"sites": sites, "tls": tls, "socket": _SOCKET}


def publish(paths: Paths, settings: Settings) -> bool:
    """Make Caddy serve the door as the settings say; say whether anything changed. Does nothing where none is named.

    Raises:
        IkomaError: ``proxy.…``.
    """
    text, place = route(settings), route_path(paths)
    before = place.read_text() if place.exists() else ""
    if not text and not before:
        return False
    site = Site(Target("ikoma"), paths, settings)
    proxy.ensure(site)
    if text == before:
        return False
    _write(place, text)
    try:
        proxy.reload(site)
    except BaseException:
        _write(place, before)
        raise
    return True


def _write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if text:
        write_atomic(place, text)
    else:
        place.unlink(missing_ok=True)
