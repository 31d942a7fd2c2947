"""The SSH door: what a forced command reads and prints. ``sshd`` is its only caller."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from agent.capabilities import Index
from agent.doors.service import REFUSED, Service
from agent.host import keys, log
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model.errors import Exit, IkomaError, Misuse
from agent.protocol import Body, Event, RequestLine, channel_exit, encode_line, parse_line, read_body

ASSISTANT: Final = "mcp"
"""The one request that is not of our protocol: an assistant's session, with the key's own role."""

_FORBIDDEN, _CONFIG, _AGAIN, _GONE = 77, 78, 75, 0


class Wire:
    """Standard output as lines of JSON. Nothing else can get into it: descriptor 1 itself becomes the error stream."""

    def __init__(self) -> None:
        self.fd = os.dup(1)
        os.dup2(2, 1)

    def send(self, value: dict[str, Any]) -> None:
        """Write one line. Raises ``BrokenPipeError`` when the client is gone."""
        left = memoryview(encode_line(value))
        while left:
            left = left[os.write(self.fd, left) :]


def serve(paths: Paths, key: str, index: Index, environ: Mapping[str, str]) -> int:
    """Serve one call of the key named ``key`` and return the exit code of the channel (a hint, never the truth)."""
    if environ.get("SSH_ORIGINAL_COMMAND") == ASSISTANT and (grant := _known(paths, key)) is not None:
        from agent.doors import mcp

        return mcp.serve(paths, grant, index)
    wire = Wire()
    try:
        return _Call(paths, key, index, wire).answer(environ.get("SSH_ORIGINAL_COMMAND", ""))
    except (BrokenPipeError, ConnectionResetError):
        return _GONE


def _known(paths: Paths, key: str) -> Grant | None:
    """Return the key's grant; what is wrong with it is told by our own protocol."""
    try:
        return keys.load(paths).get(key)
    except IkomaError:
        return None


class _Call:
    """One call, from its hello to its last line."""

    def __init__(self, paths: Paths, key: str, index: Index, wire: Wire) -> None:
        self.paths, self.wire = paths, wire
        self.service = Service(paths, index, Grant(key[:64], role=""), "ssh")
        self.lang, self.verb = "en", ""
        self.body: Body | None = None
        self.operation: str | None = None

    def answer(self, command: str) -> int:
        """Answer the request; every fault becomes one line of error."""
        try:
            unknown = self._identify()
            self.wire.send(self.service.hello().to_json())
            if unknown is not None:
                raise unknown
            line = parse_line(command)
            self.verb, self.operation = line.verb, line.operation
            return self._dispatch(line)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except IkomaError as error:
            return self._fail(error)
        except Exception as error:
            reference = log.record(self.paths, error)
            return self._fail(IkomaError("wire.internal", kind=type(error).__name__, reference=reference))

    def _identify(self) -> IkomaError | None:
        """Find out what the key may do; return why it may do nothing."""
        name = self.service.grant.name
        try:
            grant = keys.load(self.paths).get(name)
        except IkomaError as error:
            return error
        if grant is None:
            return Misuse("wire.unknown_key", key=name)
        self.service.grant = grant
        return None

    def _dispatch(self, line: RequestLine) -> int:
        if line.verb == "hello":
            return Exit.DONE
        if line.verb == "attach":
            return self._attach(line)
        capability = self.service.capability(line.verb, line.operation)
        with open(0, "rb", closefd=False) as stdin:
            self.body = read_body(stdin)
            self.lang = self.body.lang
            if line.operation is None:
                answer = {"t": "result", "result": self.service.read(capability, self.body)}
                self.wire.send(answer | self.service.history(self.body))
                return Exit.DONE
            self.service.change(capability, line.operation, self.body, stdin)
        return self._exit(self.service.follow(line.operation, 0, self._show, self.wire.fd))

    def _attach(self, line: RequestLine) -> int:
        if line.operation is None:
            raise Misuse("wire.bad_request", reason="attach needs an operation id")
        return self._exit(self.service.attach(line.operation, line.after, self._show, self.wire.fd))

    def _show(self, event: Event) -> None:
        more = self.service.history(self.body, event.op) if event.kind == "end" else {}
        self.wire.send(event.to_json() | more)

    def _exit(self, status: str | None) -> int:
        return _GONE if status is None else channel_exit(status)

    def _fail(self, error: IkomaError) -> int:
        refused = error.id in REFUSED
        self.service.audit(self.verb, "refused" if refused else "error", self.body, self.operation, error)
        self.wire.send({"t": "error", "exit": int(error.exit_code), "error": error.to_json(self.lang)})
        if refused:
            return _FORBIDDEN
        return _CONFIG if error.exit_code == Exit.MISUSE else _AGAIN
