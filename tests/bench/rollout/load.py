"""Users of a website: so many requests a second whatever the answers do, some slow, some over kept connections.

``python -m tests.bench.rollout.load ADDRESS PORT HOST RATE FILE`` asks until its standard input ends, then writes what
happened to FILE: ``samples``, a list of ``[at, took, kind, status, served_by, error]`` in seconds since the start, and
what asking itself cost. ``at`` is when a request was due, and its time runs from there: a user who had to wait
until we came round to ask has waited. One loop over one ``epoll``: what asks shares the machine with what answers.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import select
import socket
import sys
import threading
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

PATIENCE: Final = 30.0
SLOW_EVERY: Final = 40
"""Of so many requests one asks for an answer that takes two seconds: at 200 a second always ten are under way."""

POST_EVERY: Final = 5
"""Of so many requests one is a POST, which nobody may repeat for us: what is lost is lost."""

BODY: Final = b'{"widget": 1}'
_CLOSED: Final = select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP


@dataclass(slots=True)
class Sample:
    """One request. ``status`` is 0 when no whole answer came."""

    at: float
    took: float
    kind: str
    status: int = 0
    served_by: str = ""
    error: str = ""


@dataclass(slots=True)
class Exchange:
    """A request under way on a connection."""

    sample: Sample
    pipe: socket.socket
    request: bytes
    keep: bool
    sent: bool = False
    received: bytes = b""

    def complete(self) -> bool:
        """Say whether the whole answer is here; then the sample knows it. Raises ``ValueError`` for what is no HTTP."""
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if len(body) < int(fields.get("content-length", "0")):
            return False
        self.sample.status, self.sample.served_by = int(first.split()[1]), fields.get("x-served-by", "")
        self.keep = self.keep and fields.get("connection", "").lower() != "close"
        return True


class Users:
    """Asks ``host`` at one address."""

    def __init__(self, address: str, port: int, host: str, rate: float) -> None:
        self.address, self.host, self.rate = (address, port), host, rate
        self.samples: list[Sample] = []
        self.late: list[float] = []
        self.idle: dict[int, socket.socket] = {}
        self.asked: dict[int, Exchange] = {}
        self.poll = select.epoll()
        self.began = time.monotonic()
        self.over = threading.Event()

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def run(self, end: int) -> None:
        """Ask until the file descriptor ``end`` can be read, then wait for what is under way."""
        self.poll.register(end, select.EPOLLIN)
        talker = threading.Thread(target=self._talk)
        talker.start()
        number, looked = 0, 0.0
        while self.asked or not self.over.is_set():
            while not self.over.is_set() and number / self.rate <= self.now:
                self._ask(number)
                number += 1
            wait = 0.1 if self.over.is_set() else max(0.0, number / self.rate - self.now)
            for descriptor, events in self.poll.poll(wait):
                self.over.set() if descriptor == end else self._heard(descriptor, events)
            if self.now - looked > 1:
                looked = self.now
                self._lose_patience()
        talker.join()

    def _ask(self, number: int) -> None:
        kind = "slow" if number % SLOW_EVERY == 0 else "posted" if number % POST_EVERY == 1 else "asked"
        keep = kind != "slow" and number % 2 == 1
        sample = Sample(number / self.rate, 0.0, f"{kind}, {'kept' if keep else 'closed'}")
        self.late.append(self.now - sample.at)
        pipe = self._kept() if keep else None
        exchange = Exchange(sample, pipe or self._dial(), self._request(kind, keep), keep)
        self.asked[exchange.pipe.fileno()] = exchange
        if pipe is not None:
            self._guarded(exchange, select.EPOLLOUT)

    def _request(self, kind: str, keep: bool) -> bytes:
        method, body = ("POST", BODY) if kind == "posted" else ("GET", b"")
        lines = [f"{method} {'/slow' if kind == 'slow' else '/'} HTTP/1.1", f"Host: {self.host}",
                 f"Connection: {'keep-alive' if keep else 'close'}"]  # fmt: skip
        lines += [f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*lines, "", ""]).encode() + body

    def _dial(self) -> socket.socket:
        pipe = socket.socket()
        pipe.setblocking(False)
        pipe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pipe.connect_ex(self.address)
        self.poll.register(pipe.fileno(), select.EPOLLOUT | select.EPOLLRDHUP)
        return pipe

    def _kept(self) -> socket.socket | None:
        """Return an idle connection; one that the other side has closed was dropped when it said so."""
        return self.idle.popitem()[1] if self.idle else None

    def _heard(self, descriptor: int, events: int) -> None:
        if descriptor in self.asked:
            self._guarded(self.asked[descriptor], events)
        elif descriptor in self.idle:
            self._close(self.idle.pop(descriptor))

    def _guarded(self, exchange: Exchange, events: int) -> None:
        try:
            self._go_on(exchange, events)
        except (OSError, EOFError, ValueError, IndexError) as error:
            self._done(exchange, f"{type(error).__name__}: {error}"[:120])

    def _go_on(self, exchange: Exchange, events: int) -> None:
        if not exchange.sent:
            if error := exchange.pipe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, os.strerror(error))
            exchange.pipe.sendall(exchange.request)
            exchange.sent = True
            self.poll.modify(exchange.pipe.fileno(), select.EPOLLIN | select.EPOLLRDHUP)
        elif events & (select.EPOLLIN | _CLOSED):
            received = exchange.pipe.recv(65536)
            exchange.received += received
            if exchange.complete():
                self._done(exchange)
            elif not received:
                raise EOFError(f"closed after {len(exchange.received)} bytes")

    def _done(self, exchange: Exchange, error: str = "") -> None:
        sample = exchange.sample
        sample.took, sample.error = self.now - sample.at, error
        sample.status = 0 if error else sample.status
        self.samples.append(sample)
        del self.asked[exchange.pipe.fileno()]
        if exchange.keep and not error and not self.over.is_set():
            self.idle[exchange.pipe.fileno()] = exchange.pipe
        else:
            self._close(exchange.pipe)

    def _close(self, pipe: socket.socket) -> None:
        self.poll.unregister(pipe.fileno())
        pipe.close()

    def _lose_patience(self) -> None:
        for exchange in [each for each in self.asked.values() if self.now - each.sample.at > PATIENCE]:
            self._done(exchange, f"no answer within {PATIENCE:.0f} s")

    def _talk(self) -> None:
        """One WebSocket, opened again when it is closed; each opening is a sample that lasts as long as it did."""
        while not self.over.is_set():
            sample = Sample(self.now, 0.0, "websocket")
            try:
                self._converse(sample)
            except (OSError, ValueError, IndexError) as error:
                sample.error = type(error).__name__
            sample.took = self.now - sample.at
            self.samples.append(sample)
            self.over.wait(0.1)

    def _converse(self, sample: Sample) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        with socket.create_connection(self.address, PATIENCE) as pipe, pipe.makefile("rb") as reader:
            pipe.sendall(f"GET /chat HTTP/1.1\r\nHost: {self.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                         f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())  # fmt: skip
            sample.status = int(reader.readline().split()[1])
            while sample.status == 101 and reader.readline().strip():
                pass
            while sample.status == 101 and not self.over.is_set():
                sample.served_by = reader.read(reader.read(2)[1]).decode()


def _main(words: list[str]) -> None:
    users = Users(words[0], int(words[1]), words[2], float(words[3]))
    users.run(sys.stdin.fileno())
    used = resource.getrusage(resource.RUSAGE_SELF)
    own = {"seconds": users.now, "cpu": used.ru_utime + used.ru_stime, "late": sorted(users.late)}
    Path(words[4]).write_text(json.dumps({"samples": [astuple(sample) for sample in users.samples], "own": own}))


if __name__ == "__main__":
    _main(sys.argv[1:])
