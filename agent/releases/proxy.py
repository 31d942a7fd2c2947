"""The reverse proxy: one Caddy container on the host, one file of routes a target, written only when routes change.

A release never reloads it (each load resets idle client connections): upstreams are names that the agent moves.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.host import process
from agent.host.files import write_atomic
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.releases.site import Site

NAME: Final = "ikoma-proxy"
LABEL: Final = "ikoma.role"
ROLE: Final = "proxy"
HTTP, HTTPS = 80, 443
RESTART: Final = {"Name": "always"}
"""An engine that comes back after a crash counts what it finds as stopped by hand, and starts only these."""
PATIENCE: Final = 15.0
_OPTIONS: Final = """\
# Written by the agent; routes stand in routes/, one file an application.
{
	admin localhost:2019
	grace_period 10s
%s}
import /etc/caddy/routes/*.caddy
# For names that are nobody's; without any site Caddy would not even listen.
http:// {
	header Ikoma-Route none
	respond 404
}
"""
NO_ROUTE: Final = "Ikoma-Route"
"""Tells the answer above from an app's own 404."""

_DIAL: Final = "3s"
"""A first packet that meets a container between two names is sent again after one second; a machine that has much to
do looks a name up late. Giving up before that loses requests with a body: Caddy before 2.11.2 cannot send one twice."""

_ROUTE: Final = """\
%(sites)s {
%(tls)s	reverse_proxy %(upstream)s {
		lb_try_duration 10s
		lb_try_interval 100ms
		transport http {
			dial_timeout %(dial)s
		}
	}
}
"""

_CLOSED: Final = """\
%(sites)s {
%(tls)s	header Retry-After %(seconds)s
	respond "This app is being updated. It will be back in a moment." 503
}
"""
CLOSED_SECONDS: Final = 30
"""After how long a client is told to ask again while an app is closed."""


def main_file(settings: Settings) -> str:
    """Return Caddy's main file."""
    return _OPTIONS % ("" if settings.public_tls else "\tauto_https disable_redirects\n")


def route_file(site: Site, routes: Mapping[str, str]) -> str:
    """Return the routes of one target in Caddy's language."""
    return "".join(_route(site, host, upstream) for host, upstream in sorted(routes.items()))


def closed_file(site: Site, routes: Mapping[str, str]) -> str:
    """Return the routes of a target that is closed: whoever asks is told to come back."""
    return "".join(_CLOSED % (_site(site, host) | {"seconds": CLOSED_SECONDS}) for host in sorted(routes))


def _route(site: Site, host: str, upstream: str) -> str:
    service, _, port = upstream.rpartition(":")
    return _ROUTE % (_site(site, host) | {"dial": _DIAL, "upstream": f"{site.live(service)}:{port}"})


def _site(site: Site, host: str) -> dict[str, Any]:
    public = site.settings.public_tls
    sites = host if public else f"http://{host}, https://{host}"
    return {"sites": sites, "tls": "" if public else "\ttls internal\n"}


def path(site: Site) -> Path:
    """Where the target's routes stand."""
    return site.paths.proxy / "routes" / f"{site.slug}.caddy"


def current(site: Site) -> str:
    """Return the routes as they are written now (empty: none)."""
    file = path(site)
    return file.read_text() if file.exists() else ""


def apply(site: Site, text: str) -> bool:
    """Make ``text`` the target's routes and load them; return whether anything changed.

    Raises:
        IkomaError: ``proxy.refused`` when Caddy does not accept them; the former routes are back then.
    """
    before = current(site)
    if text == before:
        return False
    _write(path(site), text)
    try:
        reload(site)
    except IkomaError:
        _write(path(site), before)
        raise
    return True


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if text:
        write_atomic(file, text)
    else:
        file.unlink(missing_ok=True)


def reload(site: Site) -> None:
    """Have Caddy load its files. Raises ``IkomaError("proxy.refused")``."""
    argv = ["docker", "exec", NAME, "caddy", "reload", "--config", "/etc/caddy/Caddyfile", "--force"]
    done = process.run(argv, env=site.environment(), timeout=30, check=False)
    if not done.ok:
        raise IkomaError("proxy.refused", said=done.last_lines(3))


def definition(paths_proxy: Path, settings: Settings) -> dict[str, Any]:
    """Return the proxy's container as the Engine's API takes it. Pure."""
    ports = {HTTP: settings.http_port, HTTPS: settings.https_port}
    return {
        "Image": settings.caddy_image,
        "Cmd": ["caddy", "run", "--config", "/etc/caddy/Caddyfile"],
        "Env": ["XDG_DATA_HOME=/data", "XDG_CONFIG_HOME=/config"],
        "Labels": {LABEL: ROLE},
        "ExposedPorts": {f"{inner}/tcp": {} for inner in ports},
        "HostConfig": {
            "RestartPolicy": RESTART,
            "PortBindings": {f"{inner}/tcp": [{"HostPort": str(outer)}] for inner, outer in ports.items()},
            "Binds": [
                f"{paths_proxy}:/etc/caddy:ro",
                f"{paths_proxy}/data:/data",
                f"{paths_proxy}/config:/config",
            ],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        },
    }


def ensure(site: Site) -> None:
    """Make the proxy run, on every target's edge network. One that runs is left alone.

    Raises:
        IkomaError: ``proxy.no_image`` when the host settings name none, ``proxy.start`` when its ports are held,
            ``proxy.foreign`` when somebody else's container has its name.
    """
    engine, settings = site.engine, site.settings
    _prepare_folders(site)
    found = engine.container(NAME)
    if found is not None and not ours(found):
        raise IkomaError("proxy.foreign", name=NAME)
    if found is not None and found["State"]["Running"]:
        if found["HostConfig"]["RestartPolicy"]["Name"] != RESTART["Name"]:
            engine.update(NAME, {"RestartPolicy": RESTART})
        return
    if not settings.caddy_image:
        raise IkomaError("proxy.no_image")
    if found is not None:
        engine.remove(NAME)
    try:
        engine.create(NAME, definition(site.paths.proxy, settings))
        engine.start(NAME)
    except IkomaError as error:
        raise IkomaError("proxy.start", reason=str(error.params.get("reason", error))) from None
    _await_start(site)
    for network in engine.networks():
        if (network.get("Labels") or {}).get("ikoma.network") == "edge":
            engine.connect(network["Name"], NAME, aliases=[])


def ours(container: Mapping[str, Any]) -> bool:
    """Say whether a container of the proxy's name is the one that we made."""
    return bool((container["Config"].get("Labels") or {}).get(LABEL) == ROLE)


def _await_start(site: Site) -> None:
    """Wait until the proxy itself answers: the Engine accepts connections for it before it does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            ask(site.settings, "localhost", "/", 1)
            return
        time.sleep(0.1)
    raise IkomaError("proxy.start", reason="\n".join(site.engine.logs(NAME, 3)))


def _prepare_folders(site: Site) -> None:
    for folder in ("routes", "data", "config"):
        (site.paths.proxy / folder).mkdir(parents=True, exist_ok=True)
    file, text = site.paths.proxy / "Caddyfile", main_file(site.settings)
    if not file.exists() or file.read_text() != text:
        write_atomic(file, text)


def join(site: Site) -> None:
    """Put the proxy on the target's edge network; being there already is fine."""
    if (network := site.engine.network(site.edge)) is None:
        return
    members = {member["Name"] for member in (network.get("Containers") or {}).values()}
    if NAME not in members:
        site.engine.connect(site.edge, NAME, aliases=[])


def leave(site: Site) -> None:
    """Take the proxy off the target's edge network."""
    site.engine.disconnect(site.edge, NAME)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the proxy answered; ``routed`` says whether it has a route for the name at all."""

    status: int
    routed: bool = True


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a route does not answer; ``certificate``: no secure connection came about, which a new name may take."""

    said: str
    certificate: bool = False


def ask(settings: Settings, host: str, path: str, timeout: float, *, secure: bool = False) -> Answer:
    """Ask for ``path`` through the proxy. A certificate is not judged. Raises ``OSError`` or ``HTTPException``."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.http_port, timeout=timeout)
    if secure:
        raw = socket.create_connection(("127.0.0.1", settings.https_port), timeout)
        connection.sock = _anybody().wrap_socket(raw, server_hostname=host)
    try:
        connection.request("GET", path, headers={"Host": host, "User-Agent": "ikoma-probe"})
        response = connection.getresponse()
        response.read(65536)
        return Answer(response.status, response.getheader(NO_ROUTE) is None)
    finally:
        connection.close()


def _anybody() -> ssl.SSLContext:
    """Return a context that takes any certificate: it is our own proxy that we ask, on loopback."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def answers(settings: Settings, host: str, path: str, seconds: float, fine: Callable[[int], bool]) -> Trouble | None:
    """Wait until the route answers as its users would meet it; return what was wrong at the end, or None.

    On a public host they are sent to the secure port, so that is what is asked: the other one would answer whatever
    became of the app.

    Args:
        fine: says of a status that is no fault of the proxy's whether it will do.
    """
    deadline, trouble = time.monotonic() + seconds, Trouble("–")
    while time.monotonic() < deadline:
        try:
            answer = ask(settings, host, path, PATIENCE, secure=settings.public_tls)
            if answer.routed and answer.status not in (502, 503, 504) and fine(answer.status):
                return None
            trouble = Trouble(f"HTTP {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            trouble = Trouble(str(error) or type(error).__name__, isinstance(error, ssl.SSLError))
        time.sleep(0.2)
    return trouble
