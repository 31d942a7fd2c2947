"""The raw channel under the protocol: sends while it reads, one JSON object a line, from the hello on."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from paramiko import SSHException

from agent.model.errors import IkomaError
from agent.protocol import MAX_LINE
from bridge.remote.text import excerpt

MAX_BANNER: Final = 64 * 1024
"""Bytes a host may print before the hello (a message of the day, a login script) until we give up on it."""

_CHUNK: Final = 256 * 1024
_STDERR_KEPT: Final = 8 * 1024


class Lost(Exception):
    """The connection ended before the answer did. What it means is decided by who asked: reconnect, or report."""


class Lines:
    """Cuts a stream into lines; a line over ``limit`` bytes is refused."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit, self._rest = limit, bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that ``data`` completes. Raises ``IkomaError("remote.line_too_long")``."""
        *whole, rest = bytes(self._rest + data).split(b"\n") if b"\n" in data else (bytes(self._rest + data),)
        self._rest = bytearray(rest)
        if max(map(len, (*whole, rest))) > self._limit:
            raise IkomaError("remote.line_too_long", limit=self._limit)
        yield from whole


class Answers:
    """Turns the lines of a call into JSON objects; what stands before the hello is kept for an error message."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._started = False
        self._skipped = 0
        self.before = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Yield the objects that ``data`` completes, the hello first.

        Raises:
            IkomaError: ``remote.no_agent`` when no hello comes, ``remote.garbled`` for a foreign line after it.
        """
        for line in self._lines.feed(data):
            if (value := _object(line)) is not None and (self._started or value.get("t") == "hello"):
                self._started = True
                yield value
            elif self._started:
                raise IkomaError("remote.garbled", said=excerpt(line))
            else:
                self._skip(line)

    def _skip(self, line: bytes) -> None:
        self._skipped += len(line) + 1
        self.before = (self.before + line + b"\n")[-_STDERR_KEPT:]
        if self._skipped > MAX_BANNER:
            raise IkomaError("remote.no_agent", said=excerpt(self.before))

    @property
    def started(self) -> bool:
        """Whether the hello has come."""
        return self._started


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Call:
    """One command on one channel.

    Args:
        transport: an open paramiko transport.
        line: the command line.
        payload: what goes to its standard input, sent by a thread of its own while answers are read.
        timeout: seconds of silence after which the call is given up; None waits as long as the network stands.
    """

    def __init__(self, transport: Any, line: str, payload: Iterable[bytes] = (), timeout: float | None = None) -> None:
        self._errors = b""
        with _network():
            self._channel = transport.open_session(timeout=15)
            self._channel.settimeout(timeout)
            self._channel.exec_command(line)
        self._sender = threading.Thread(target=self._send, args=(payload,), daemon=True)
        self._sender.start()

    def answers(self) -> Iterator[dict[str, Any]]:
        """Yield the hello and what follows it, until the host closes the channel.

        Raises:
            Lost: the connection broke.
            IkomaError: see ``Answers``; ``remote.no_agent`` also when the channel closes without a hello.
        """
        answers = Answers()
        for data in self.read():
            yield from answers.feed(data)
        if not answers.started:
            self._no_hello(answers)

    def read(self) -> Iterator[bytes]:
        """Yield raw output until its end. Raises ``Lost``."""
        while True:
            with _network():
                data = self._channel.recv(_CHUNK)
            self._take_errors()
            if not data:
                return
            yield data

    def exit_code(self, timeout: float = 10) -> int:
        """Return what the command ended with. Raises ``Lost`` when the host does not say."""
        if not self._channel.status_event.wait(timeout) or self._channel.exit_status < 0:
            raise Lost("the connection ended without an exit code")
        return int(self._channel.exit_status)

    def said(self) -> str:
        """Return the end of its standard error, safe to print."""
        self._take_errors()
        return excerpt(self._errors)

    def close(self) -> None:
        """Close the channel; the connection stays."""
        with contextlib.suppress(OSError, EOFError, SSHException):
            self._channel.close()

    def _no_hello(self, answers: Answers) -> None:
        # A command that ended by itself has an exit code; a cut connection has none.
        self._channel.status_event.wait(2)
        if self._channel.exit_status < 0:
            raise Lost("the connection ended before the agent answered")
        self._take_errors()
        raise IkomaError("remote.no_agent", said=excerpt(answers.before + self._errors) or "–")

    def _send(self, payload: Iterable[bytes]) -> None:
        # A host that refuses a request closes while we still send: its answer says why, not this error.
        with contextlib.suppress(OSError, EOFError, SSHException):
            for chunk in payload:
                self._channel.sendall(chunk)
            self._channel.shutdown_write()

    def _take_errors(self) -> None:
        while self._channel.recv_stderr_ready():
            self._errors = (self._errors + self._channel.recv_stderr(_CHUNK))[-_STDERR_KEPT:]


@contextlib.contextmanager
def _network() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, SSHException) as error:
        raise Lost(str(error) or type(error).__name__) from error


def chunks(bundle: bytes | Path | None) -> Iterator[bytes]:
    """Yield a bundle in pieces, without holding a file in memory."""
    if isinstance(bundle, Path):
        with bundle.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                yield piece
    elif bundle:
        yield bundle
