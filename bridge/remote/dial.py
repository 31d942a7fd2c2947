"""Opening the socket ourselves: without delays, and with a lost network noticed in seconds instead of never."""

from __future__ import annotations

import socket
from typing import Final

from agent.model.errors import IkomaError

CONNECT_S: Final = 10.0
"""How long a host may take to answer the first packet."""

_SILENCE_MS: Final = 15_000
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


def dial(host: str, port: int, timeout: float = CONNECT_S) -> socket.socket:
    """Return a connected socket tuned for a protocol of small messages.

    paramiko sets none of these options by itself: without TCP_NODELAY each call waits 48 ms for a delayed
    acknowledgement, and without the time-outs a cut cable is never noticed.

    Raises:
        IkomaError: ``remote.dns``, ``remote.refused``, ``remote.timeout`` or ``remote.unreachable``.
    """
    try:
        connected = socket.create_connection((host, port), timeout)
    except socket.gaierror as error:
        raise IkomaError("remote.dns", host=host, reason=error.strerror or error) from None
    except ConnectionRefusedError:
        raise IkomaError("remote.refused", host=host, port=port) from None
    except TimeoutError:
        raise IkomaError("remote.timeout", host=host, port=port, seconds=int(timeout)) from None
    except (OSError, UnicodeError) as error:
        raise IkomaError("remote.unreachable", host=host, port=port, reason=_reason(error)) from None
    _tune(connected)
    return connected


def _reason(error: OSError | UnicodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _tune(connected: socket.socket) -> None:
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (*_KEEPALIVE.items(), ("TCP_USER_TIMEOUT", _SILENCE_MS)):
        if option := getattr(socket, name, None):  # not every system a laptop runs has all of them
            connected.setsockopt(socket.IPPROTO_TCP, option, value)
