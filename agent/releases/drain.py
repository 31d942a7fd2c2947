"""Stopping a container after its open connections had their time, and counting those that did not use it.

Long ones (WebSocket, SSE, a slow answer) may last until the drain of their service is over. Who is still connected
when the Engine kills is counted; what a program closes by itself before that is its own decision.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from agent.docker.engine import Engine

KILLED: Final = 137
LOOK_EVERY: Final = 0.2
_LISTENING, _ESTABLISHED = "0A", "01"
_PARALLEL: Final = 8
EPHEMERAL: Final = 32768
"""From here on the kernel chooses ports for outgoing connections."""


def stop_all(engine: Engine, containers: Iterable[tuple[str, float]]) -> dict[str, int]:
    """Stop containers side by side; return how many connections were cut, by container, where any were.

    Args:
        containers: ids, each with its seconds to drain.
    """
    wanted = list(containers)
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(_PARALLEL, len(wanted))) as pool:
        cut = pool.map(lambda item: stop(engine, *item), wanted)
    return {container: count for (container, _), count in zip(wanted, cut, strict=True) if count}


def stop(engine: Engine, container: str, seconds: float) -> int:
    """Send the stop signal, kill after ``seconds``; return how many connections the kill cut."""
    inspected = engine.container(container) or {}
    pid = int((inspected.get("State") or {}).get("Pid") or 0)
    with ThreadPoolExecutor(1) as pool:
        last = _watch(pid, pool.submit(engine.stop, container, seconds))
    ended: dict[str, Any] = (engine.container(container) or {}).get("State") or {}
    return last if last and ended.get("ExitCode") == KILLED else 0


def _watch(pid: int, stopping: Future[None]) -> int:
    """Return how many connections were open the last time anybody could look."""
    last = 0
    while not stopping.done():
        if pid and (tables := _tables(pid)):
            last = connections(tables)
        time.sleep(LOOK_EVERY)
    stopping.result()
    return last


def _tables(pid: int) -> list[str]:
    """Return the kernel's tables of TCP connections of a container, empty when it has ended."""
    try:
        return [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    except OSError:
        return []


def connections(tables: Iterable[str]) -> int:
    """Return how many callers from outside are connected to a port that is listened on, or was. Pure."""
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    listening = {_port(row[1]) for row in rows if row[3] == _LISTENING}
    return sum(row[3] == _ESTABLISHED and not _loopback(row[2]) and _served(_port(row[1]), listening) for row in rows)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _served(port: int, listening: set[int]) -> bool:
    """Whether a connection came in. A server that drains has closed its listener: then what is no outgoing port is."""
    return port in listening or (not listening and port < EPHEMERAL)


def _loopback(peer: str) -> bool:
    """Addresses stand there as little-endian words in hex: 127.x.y.z ends in 7F, ::1 is all zeros and one."""
    address = peer.partition(":")[0]
    return address.endswith("7F") if len(address) == 8 else address.endswith(("7F", "0" * 24 + "01000000"))
