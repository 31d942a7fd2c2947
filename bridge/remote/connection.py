"""A Fabric connection that trusts one pinned host key, offers one key, and never waits for ever."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import paramiko  # noqa: F401 (before Fabric, which takes its parts first)
from fabric import Config, Connection
from paramiko import AuthenticationException, BadHostKeyException, MissingHostKeyPolicy, SSHConfig, SSHException

from agent.model.errors import IkomaError
from agent.model.secret import Secret
from bridge.remote.dial import CONNECT_S, dial
from bridge.remote.hostkeys import Pins, pins
from bridge.remote.keys import private_key

# banner and auth leave room for a host under load; paramiko's own default for a channel is an hour.
_TIMEOUTS: Final = {"timeout": CONNECT_S, "banner_timeout": 15, "auth_timeout": 15, "channel_timeout": 15}
# Nothing of this machine's SSH configuration decides where a deployment goes.
_OURS_ALONE: Final = {"run": {"in_stream": False}, "inline_ssh_env": False}

# paramiko prints tracebacks of what we turn into messages.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to connect, as whom, and whom to trust.

    Attributes:
        key: the path of a private key, or the key itself.
        known_hosts: text in the format of known_hosts, or the path of such a file.
        host_key: one pinned host key; it wins over ``known_hosts``.
    """

    host: str
    port: int = 22
    user: str = "ikoma"
    key: Secret | Path = Path("~/.ssh/id_ed25519")
    known_hosts: str | Path = ""
    host_key: str = ""

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")


def connect(destination: Destination) -> Connection:
    """Return an open connection.

    Raises:
        IkomaError: ``remote.host_key_unknown`` or ``remote.host_key_changed`` with the fingerprints of both sides,
            ``remote.auth_refused``, ``remote.no_ssh``, and what ``dial``, ``pins`` and ``private_key`` raise.
    """
    key = private_key(destination.key)
    trusted = pins(destination.host, destination.port, destination.known_hosts, destination.host_key)
    try:
        return _open(destination, key, trusted)
    except BadHostKeyException as error:
        if not trusted.trusts(error.key):
            raise _changed(trusted, error.key) from None
        # Two trusted keys of one type, as while a host changes its key: compare with the one it showed.
        return _open(destination, key, trusted.only(error.key))


def _open(destination: Destination, key: Any, trusted: Pins) -> Connection:
    options = {"pkey": key, "look_for_keys": False, "allow_agent": False, **_TIMEOUTS}
    with _closing_on_error(dial(destination.host, destination.port)) as sock:
        connection = Connection(
            destination.host,
            user=destination.user,
            port=destination.port,
            config=Config(overrides=_OURS_ALONE, ssh_config=SSHConfig(), lazy=True),
            connect_kwargs={**options, "sock": sock},
        )
        connection.client.get_host_keys().update(trusted.host_keys())
        connection.client.set_missing_host_key_policy(_Refuse(destination, trusted))
        _handshake(connection, destination, key)
    return connection


def _handshake(connection: Connection, destination: Destination, key: Any) -> None:
    try:
        connection.open()
    except BadHostKeyException:
        raise
    except AuthenticationException as error:
        if not _answered(error):
            raise IkomaError("remote.no_ssh", host=destination.host, port=destination.port, reason=str(error)) from None
        raise IkomaError("remote.auth_refused", destination=destination, fingerprint=key.fingerprint) from None
    except (SSHException, EOFError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise IkomaError("remote.no_ssh", host=destination.host, port=destination.port, reason=reason) from None


def _answered(error: AuthenticationException) -> bool:
    """Say whether the host refused the key: paramiko raises the same for a connection that broke meanwhile."""
    return "shut down" not in str(error) and "timeout" not in str(error).lower()


@contextlib.contextmanager
def _closing_on_error(sock: socket.socket) -> Iterator[socket.socket]:
    try:
        yield sock
    except BaseException:
        sock.close()
        raise


class _Refuse(MissingHostKeyPolicy):  # type: ignore[misc]
    """Refuses a host none of whose keys is known, and says what it showed."""

    def __init__(self, destination: Destination, trusted: Pins) -> None:
        self._destination, self._trusted = destination, trusted

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        raise IkomaError(
            "remote.host_key_unknown",
            host=hostname,
            shown=f"{key.fingerprint} ({key.get_name()})",
            trusted=self._trusted.fingerprints() or "–",
            source=self._trusted.source,
            line=f"{hostname} {key.get_name()} {key.get_base64()}",
        )


def _changed(trusted: Pins, key: Any) -> IkomaError:
    return IkomaError(
        "remote.host_key_changed",
        host=trusted.name,
        shown=f"{key.fingerprint} ({key.get_name()})",
        trusted=trusted.fingerprints(),
        source=trusted.source,
    )
