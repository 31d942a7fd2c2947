"""``ikoma-agent http``: the HTTP door, on loopback, and through Caddy where the host settings give it a name."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.capabilities import Index
from agent.doors.local import Local
from agent.doors.starter import Starter
from agent.host import platform
from agent.host import settings as host_settings
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import Exit, IkomaError, Misuse

if TYPE_CHECKING:
    import uvicorn

LOOPBACK: Final = "127.0.0.1"
_WATCH_SECONDS: Final = 2.0
_MOST_CONNECTIONS: Final = 1024
_AGAIN: Final = 75


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """All it needs stands in the host settings."""


def run(at: Local) -> int:
    """Serve; see ``serve``."""
    return serve(at.paths, at.index)


def serve(paths: Paths, index: Index) -> int:
    """Serve until the door is closed; return its exit code: 75 asks the supervisor to start us again at once.

    Raises:
        Misuse: ``settings.invalid``.
        IkomaError: ``http.port`` when another program has the port.
    """
    settings = host_settings.load(paths)
    if not settings.http_door:
        print(Misuse("http.off").message(), file=sys.stderr)
        return Exit.DONE
    starter = Starter(paths, index)  # while there is one thread
    try:
        Path("/proc/self/comm").write_text(platform.HTTP_DOOR)
        return _run(paths, index, settings, starter)
    finally:
        starter.close()


def _run(paths: Paths, index: Index, settings: Settings, starter: Starter) -> int:
    import anyio
    import uvicorn

    from agent.doors.http_app import Door

    sockets = [_loopback(settings.door_port), *_unix(paths, settings)]
    config = uvicorn.Config(
        Door(paths, index, settings, starter).app(),
        log_config=None, access_log=False, server_header=False, proxy_headers=False, lifespan="off",
        limit_concurrency=_MOST_CONNECTIONS, backlog=_MOST_CONNECTIONS, timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 * 1024,
    )  # fmt: skip
    server = uvicorn.Server(config)
    stale = _staleness(paths)

    async def both() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch, server, stale)
            tasks.start_soon(_publish, paths, settings)
            await server.serve(sockets=sockets)
            tasks.cancel_scope.cancel()

    anyio.run(both)
    return _AGAIN if stale() else Exit.DONE


async def _watch(server: uvicorn.Server, stale: Callable[[], bool]) -> None:
    """End the door when the host has other settings, or another version serves: the supervisor starts that one."""
    import anyio

    while not stale():
        await anyio.sleep(_WATCH_SECONDS)
    server.should_exit = True


async def _publish(paths: Paths, settings: Settings) -> None:
    """Have Caddy serve the door, and try again while it cannot: an engine may start later than we do."""
    import anyio
    from anyio.to_thread import run_sync

    from agent.doors import http_proxy
    from agent.host import log

    pause = _WATCH_SECONDS
    while True:
        try:
            await run_sync(http_proxy.publish, paths, settings)
        except IkomaError as error:
            await run_sync(log.record, paths, error)
            pause = min(pause * 2, 60.0)
        else:
            return
        await anyio.sleep(pause)


def _loopback(port: int) -> socket.socket:
    """Return the bound socket of the port. Raises ``IkomaError("http.port")`` naming who has it."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        holder = platform.holder(port)
        raise IkomaError("http.port", port=port, reason=holder or error.strerror or error) from None
    return bound


def _unix(paths: Paths, settings: Settings) -> list[socket.socket]:
    """Return the socket that Caddy's container reaches through a folder that it sees anyway."""
    from agent.doors import http_proxy

    place = http_proxy.socket_path(paths)
    place.unlink(missing_ok=True)
    if not settings.door_name:
        return []
    place.parent.mkdir(parents=True, exist_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(place))
    place.chmod(0o660)
    return [bound]


def _staleness(paths: Paths) -> Callable[[], bool]:
    """Return a function that says whether settings or version are others than now."""

    def look() -> tuple[object, ...]:
        try:
            settings = paths.settings.stat()
            written: tuple[int, int] | None = (settings.st_mtime_ns, settings.st_ino)
        except FileNotFoundError:
            written = None
        return written, str((paths.opt / "current").resolve())

    before = look()
    return lambda: look() != before
