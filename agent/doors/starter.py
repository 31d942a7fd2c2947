"""A process with one thread that forks for the doors that have many.

An operation's worker is a fork without exec. A fork of a process with threads may inherit a lock that nobody is left to
free; therefore such a door forks this one first, while it is still alone, and asks it for everything that forks again.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import socket
from dataclasses import dataclass, field
from typing import Any

from agent.capabilities import Index
from agent.doors.service import Service
from agent.host import log
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model.errors import Exit, IkomaError
from agent.model.names import Target
from agent.operations import recovery
from agent.protocol import Body


@dataclass(frozen=True, slots=True)
class Start:
    """Start an operation of ``capability``, as ``Service.change`` does. The door has checked that the key may."""

    grant: Grant
    door: str
    capability: str
    operation: str
    body: Body = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recover:
    """Recover what is stranded; wait for what belongs to ``target``."""

    target: Target | None = None


class Starter:
    """Our side of it. Make it before the first thread, and close it at the end."""

    def __init__(self, paths: Paths, index: Index) -> None:
        self._ours, theirs = socket.socketpair()
        if os.fork() == 0:
            try:
                self._ours.close()
                _serve(theirs, paths, index)
            finally:
                os._exit(0)
        theirs.close()

    def close(self) -> None:
        """Let it end. Operations that it started go on."""
        self._ours.close()

    def ask(self, order: Start | Recover) -> None:
        """Have ``order`` carried out, and wait for it; any thread may call this.

        Raises:
            IkomaError: what the order raised there.
            OSError: the process is gone.
        """
        near, far = socket.socketpair()
        with near:
            with far:
                socket.send_fds(self._ours, [b"."], [far.fileno()])
            near.sendall(pickle.dumps(order))
            near.shutdown(socket.SHUT_WR)
            with near.makefile("rb") as answer:
                said = answer.read()
        if not said:
            raise ConnectionResetError("the process that starts operations is gone")
        _raise(json.loads(said))


class RemoteService(Service):
    """A service for a door with threads: what would fork is done by the starter."""

    def __init__(self, paths: Paths, index: Index, grant: Grant, door: str, starter: Starter) -> None:
        super().__init__(paths, index, grant, door)
        self._starter = starter

    def recover(self, target: Target | None = None) -> None:
        if not recovery.is_needed(self.paths):
            return
        self._starter.ask(Recover(target))

    def start(self, capability: str, operation: str, body: Body) -> None:
        """Start an operation that brings no bundle. Raises what ``Service.change`` raises."""
        self._starter.ask(Start(self.grant, self.door, capability, operation, body))


def _serve(orders: socket.socket, paths: Paths, index: Index) -> None:
    """Fork once for each order until the door is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the door's to handle; its end is ours
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for what is forked here
    while True:
        _, descriptors, _, _ = socket.recv_fds(orders, 1, 1)
        if not descriptors:
            return
        with socket.socket(fileno=descriptors[0]) as far:
            if os.fork() == 0:
                orders.close()
                _carry_out(far, paths, index)


def _carry_out(far: socket.socket, paths: Paths, index: Index) -> None:
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    try:
        with far.makefile("rb") as stream:
            order: Start | Recover = pickle.loads(stream.read())  # noqa: S301 (from our own parent)
        far.sendall(json.dumps(_outcome(order, paths, index)).encode())
    finally:
        os._exit(0)


def _outcome(order: Start | Recover, paths: Paths, index: Index) -> dict[str, Any]:
    try:
        if isinstance(order, Recover):
            recovery.ensure(paths, index, order.target)
        else:
            service = Service(paths, index, order.grant, order.door)
            service.change(index[order.capability], order.operation, order.body, io.BytesIO())
    except IkomaError as error:
        return {"error": error.to_json(), "exit": int(error.exit_code)}
    except Exception as error:
        reference = log.record(paths, error)
        return {
            "error": IkomaError("wire.internal", kind=type(error).__name__, reference=reference).to_json(),
            "exit": 1,
        }
    return {}


def _raise(outcome: dict[str, Any]) -> None:
    if "error" in outcome:
        raise IkomaError.from_json(outcome["error"], Exit(outcome["exit"]))
