"""Users of a website: so many requests a second whatever the answers do, some slow, some over kept connections.

``python -m tests.bench.rollout.load ADDRESS PORT HOST RATE FILE`` asks until its standard input ends, then writes what
happened to FILE: a JSON list of ``[at, took, kind, status, served_by, error]`` in seconds since the start.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

PATIENCE: Final = 30.0
SLOW_EVERY: Final = 40
"""Of so many requests one asks for an answer that takes two seconds: at 200 a second always ten are under way."""

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Sample:
    """One request. ``status`` is 0 when no whole answer came."""

    at: float
    took: float
    kind: str
    status: int = 0
    served_by: str = ""
    error: str = ""


class Users:
    """Asks ``host`` at one address."""

    def __init__(self, address: str, port: int, host: str, rate: float) -> None:
        self.address, self.port, self.host, self.rate = address, port, host, rate
        self.samples: list[Sample] = []
        self.idle: list[Pipe] = []
        self.began = time.monotonic()
        self.over = asyncio.Event()

    async def run(self) -> None:
        """Ask until ``over``, then wait for what is under way."""
        talker = asyncio.create_task(self._talk())
        asked, number = set[asyncio.Task[None]](), 0
        while not self.over.is_set():
            due = self.began + number / self.rate
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self._ask(number))
            asked.add(task)
            task.add_done_callback(asked.discard)
            number += 1
        talker.cancel()
        await asyncio.gather(*asked)

    async def _ask(self, number: int) -> None:
        kind = "slow" if number % SLOW_EVERY == 0 else "kept" if number % 2 else "closed"
        sample = Sample(time.monotonic() - self.began, 0.0, kind)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._exchange(sample, "/slow" if kind == "slow" else "/", keep=kind == "kept")
        except Exception as error:
            sample.status, sample.error = 0, f"{type(error).__name__}: {error}"[:120]
        sample.took = time.monotonic() - self.began - sample.at
        self.samples.append(sample)

    async def _exchange(self, sample: Sample, path: str, keep: bool) -> None:
        pipe = self._idle() if keep else None
        reader, writer = pipe = pipe or await asyncio.open_connection(self.address, self.port)
        try:
            connection = "keep-alive" if keep else "close"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: {connection}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            await reader.readexactly(int(fields.get("content-length", "0")))
            sample.status, sample.served_by = int(head[0].split()[1]), fields.get("x-served-by", "")
            if keep and fields.get("connection", "").lower() != "close":
                self.idle.append(pipe)
                return
        except BaseException:
            writer.close()
            raise
        writer.close()

    def _idle(self) -> Pipe | None:
        """Return a kept connection; one that the other side has closed meanwhile is dropped, as every client does."""
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def _talk(self) -> None:
        """One WebSocket, opened again when it is closed; each opening is a sample that lasts as long as it did."""
        while True:
            sample = Sample(time.monotonic() - self.began, 0.0, "websocket")
            try:
                await self._converse(sample)
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                sample.error = type(error).__name__
            finally:
                sample.took = time.monotonic() - self.began - sample.at
                self.samples.append(sample)
            await asyncio.sleep(0.1)

    async def _converse(self, sample: Sample) -> None:
        reader, writer = await asyncio.open_connection(self.address, self.port)
        try:
            key = base64.b64encode(os.urandom(16)).decode()
            writer.write(f"GET /chat HTTP/1.1\r\nHost: {self.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                         f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())  # fmt: skip
            head = await reader.readuntil(b"\r\n\r\n")
            sample.status = int(head.split()[1])
            while sample.status == 101:
                _, length = await reader.readexactly(2)
                sample.served_by = (await reader.readexactly(length)).decode()
        finally:
            writer.close()


async def _main(words: list[str]) -> None:
    users = Users(words[0], int(words[1]), words[2], float(words[3]))
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), users.over.set)
    await users.run()
    Path(words[4]).write_text(json.dumps([astuple(sample) for sample in users.samples]))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
