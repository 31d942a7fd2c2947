"""A host that goes away while we log in was lost; it did not refuse our key."""

from __future__ import annotations

import socket
import threading
from typing import Any

import paramiko
import pytest

from agent.model.errors import IkomaError
from agent.model.secret import Secret
from bridge.remote.connection import Destination, connect
from tests.integration.sshd import key_pair


class _Host(paramiko.ServerInterface):  # type: ignore[misc]
    """Answers a login by refusing the key, or by hanging up in the middle of it."""

    def __init__(self, hang_up: Any) -> None:
        self._hang_up = hang_up

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        if self._hang_up is not None:
            self._hang_up()
        return int(paramiko.AUTH_FAILED)


@pytest.mark.parametrize(("hangs_up", "error_id"), [(True, "remote.no_ssh"), (False, "remote.auth_refused")])
def test_a_login_that_breaks_off_is_told_from_one_that_is_refused(hangs_up: bool, error_id: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host_key = paramiko.RSAKey.generate(2048)
        serving = threading.Thread(target=_serve_one, args=(listening, host_key, hangs_up))
        serving.start()
        key, _ = key_pair()
        pin = f"{host_key.get_name()} {host_key.get_base64()}"
        with pytest.raises(IkomaError) as failure:
            connect(_destination(listening.getsockname()[1], key, pin))
        serving.join(timeout=10)
    assert failure.value.id == error_id


def _destination(port: int, key: Secret, host_key: str) -> Destination:
    return Destination("127.0.0.1", port, user="ikoma", key=key, host_key=host_key)


def _serve_one(listening: socket.socket, host_key: paramiko.PKey, hangs_up: bool) -> None:
    connection, _ = listening.accept()
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    transport.start_server(server=_Host((lambda: connection.shutdown(socket.SHUT_RDWR)) if hangs_up else None))
    transport.join(timeout=10)
    transport.close()
