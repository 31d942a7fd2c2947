"""A second login, with a key that exists only in memory and only for as long as the test."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from agent.model.errors import IkomaError
from agent.model.secret import Secret
from bridge.remote import layout
from bridge.remote.client import PASSING, Agent
from bridge.remote.connection import Destination, connect
from bridge.remote.keys import PublicKey, parse_public

RELOAD_S: Final = 15.0
"""How long sshd may take to come back after it was told to read its settings."""


def _passes(error: BaseException) -> bool:
    return isinstance(error, IkomaError) and error.id in PASSING


def _patiently() -> Retrying:
    """Try again for a while where nobody answers: sshd hears nothing for a moment while it reads its settings."""
    stop = stop_after_delay(RELOAD_S)
    return Retrying(retry=retry_if_exception(_passes), stop=stop, wait=wait_fixed(0.3), reraise=True)


class Probe:
    """Logs in as the administrator and as the agent's user, over new connections."""

    def __init__(self, admin: Destination) -> None:
        self._admin = admin
        key = Ed25519PrivateKey.generate()
        openssh = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
        self.public: PublicKey = parse_public(key.public_key().public_bytes(*openssh).decode(), "probe")
        self._private = Secret(key.private_bytes(*pem).decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._private = Secret("")

    def log_in(self, name: str, version: str) -> None:
        """Log in twice and call the agent under the name of a registered key (none: only the administrator).

        Raises:
            IkomaError: whatever stands in the way.
        """
        _patiently()(connect, self._admin).close()
        if not name:
            return
        with Agent(replace(self._admin, user=layout.USER, key=self._private)) as agent:
            hello = _patiently()(agent.hello)
        if hello.key != name:
            raise IkomaError("remote.garbled", said=f"key {hello.key}, version {hello.version} instead of {version}")
