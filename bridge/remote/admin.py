"""An administrator's session on a host: sends our small programs to the host's own Python and reads what they print."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import chain
from types import TracebackType
from typing import Any, Final, Self

from agent.model.errors import IkomaError
from bridge.remote.channel import Call, Lost
from bridge.remote.connection import Destination, connect
from bridge.remote.text import neutral_value

# The program and its request arrive on standard input: nothing of them is visible in the process list.
_LOADER: Final = 'import sys;b=sys.stdin.buffer;exec(compile(b.read(int(b.readline())),"ikoma","exec"))'
_SILENCE_S: Final = 180.0
_NOT_FOUND: Final = 127


class Admin:
    """One connection as root, or as a user who may use sudo without a password."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self._connection = connect(destination)
        self._prefix: list[str] | None = [] if destination.user == "root" else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._connection.close()

    def run(
        self, program: str, request: dict[str, Any], payload: Iterable[bytes] = (), python: str = "python3"
    ) -> Iterator[dict[str, Any]]:
        """Run ``onhost/<program>.py`` as root and yield the objects it prints, made safe to print.

        Args:
            payload: bytes that the program reads after its request.
            python: the interpreter on the host.

        Raises:
            IkomaError: ``remote.no_python``, ``remote.sudo``, ``remote.host_program`` or ``remote.lost``.
        """
        line = shlex.join([*self._become_root(), python, "-I", "-c", _LOADER])
        try:
            yield from self._answers(
                Call(self._connection.transport, line, _input(program, request, payload), _SILENCE_S)
            )
        except Lost as lost:
            raise IkomaError("remote.lost", destination=self.destination, reason=lost) from None

    def _answers(self, call: Call) -> Iterator[dict[str, Any]]:
        told = False
        try:
            for answer in call.answers():
                told = answer["t"] == "failed"
                if answer["t"] != "hello":
                    yield neutral_value(answer)
            code = call.exit_code()
        except IkomaError as error:
            if error.id == "remote.no_agent":  # it ended before its first line
                raise self._no_start(call) from None
            raise
        finally:
            call.close()
        if code != 0 and not told:
            raise IkomaError("remote.host_program", said=call.said())

    def _no_start(self, call: Call) -> IkomaError:
        if call.exit_code() == _NOT_FOUND:
            return IkomaError("remote.no_python")
        return IkomaError("remote.host_program", said=call.said())

    def _become_root(self) -> list[str]:
        if self._prefix is None:
            sudo = ["sudo", "-n", "--"]
            if self._exit_code(shlex.join([*sudo, "true"])) != 0:
                raise IkomaError("remote.sudo", user=self.destination.user)
            self._prefix = sudo
        return self._prefix

    def _exit_code(self, line: str) -> int:
        call = Call(self._connection.transport, line, (), 30)
        for _ in call.read():
            pass
        return call.exit_code()


def _input(program: str, request: dict[str, Any], payload: Iterable[bytes]) -> Iterator[bytes]:
    source = files("bridge.remote.onhost").joinpath(f"{program}.py").read_bytes()
    raw = json.dumps(request).encode()
    return chain([b"%d\n" % len(source), source, b"%d\n" % len(raw), raw], payload)
