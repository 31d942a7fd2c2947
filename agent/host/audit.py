"""The history of calls: one JSON line each, chained by SHA-256.

Root on the host can rewrite all of it; what cannot be rewritten unnoticed is what somebody else has seen. Therefore
every hello carries the head of the chain, and ``verify`` takes such an anchor.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.host import ballast, log
from agent.host.clock import now
from agent.host.flock import Flock
from agent.host.paths import Paths
from agent.model.names import fingerprint

GENESIS: Final = "0" * 64
_BLOCK: Final = 64 * 1024
_WAIT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One call. Never a value of a secret, never an argument."""

    key: str
    role: str
    door: str
    capability: str
    result: str
    app: str | None = None
    environment: str | None = None
    operation: str | None = None
    error_id: str | None = None
    client: dict[str, str] = field(default_factory=dict)
    status: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the line; ``status`` only where an operation ended."""
        line: dict[str, Any] = {
            "key": self.key, "role": self.role, "door": self.door, "capability": self.capability,
            "appName": self.app, "environment": self.environment, "operation": self.operation,
            "result": self.result, "error_id": self.error_id, "client": self.client,
        }  # fmt: skip
        return line | ({"status": self.status} if self.status else {})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found. ``line`` counts from 1 and is the first that is wrong."""

    ok: bool
    count: int
    head: str
    line: int | None = None
    reason: str = ""


def append(paths: Paths, entry: Entry) -> str:
    """Append one line, durably, and return the new head of the chain.

    A full disk is met with the ballast. If the line still cannot be written the agent's log says so, and the call
    goes on: a rollback must work on a full disk.
    """
    for _ in range(2):
        try:
            return _append(paths, entry)
        except OSError as error:
            if not ballast.free(paths):
                log.record(paths, error)
                return ""
    return ""


def head(paths: Paths) -> str:
    """Return ``<seq>:<hash>`` of the last line, empty when there is none."""
    last = _last(paths.audit)
    return f"{last['seq']}:{last['hash']}" if last else ""


def verify(path: Path, anchor: str = "") -> Verdict:
    """Check the whole chain.

    Args:
        anchor: a ``<seq>:<hash>`` seen earlier; without one a cut end cannot be told from a short history.
    """
    previous, count, anchored = GENESIS, 0, not anchor
    with path.open("rb") as lines:
        for count, raw in enumerate(lines, 1):
            reason = _fault(raw, count, previous)
            if reason:
                return Verdict(False, count - 1, previous, count, reason)
            previous = json.loads(raw)["hash"]
            anchored = anchored or anchor == f"{count}:{previous}"
    if not anchored:
        return Verdict(False, count, previous, None, "the line that was seen earlier is not there")
    return Verdict(True, count, previous)


def _fault(raw: bytes, number: int, previous: str) -> str:
    try:
        line = json.loads(raw)
        claimed = line.pop("hash")
    except (ValueError, KeyError, AttributeError, TypeError):
        return "it is no line of the history"
    if line.get("seq") != number:
        return "a line was taken out or put in"
    if line.get("prev") != previous:
        return "it does not continue the line before it"
    return "" if fingerprint(line) == claimed else "it was changed"


def _append(paths: Paths, entry: Entry) -> str:
    lock = Flock(paths.locks / "audit.lock")
    if not lock.acquire(_WAIT):
        raise TimeoutError(str(lock.path))
    try:
        last = _last(paths.audit) or {"seq": 0, "hash": GENESIS}
        line = {"ts": now(), "seq": last["seq"] + 1, **entry.to_json(), "prev": last["hash"]}
        line["hash"] = fingerprint(line)
        _write(paths.audit, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        return str(line["hash"])
    finally:
        lock.release()


def _write(path: Path, line: bytes) -> None:
    """Append a whole line or nothing: what a crash or a full disk left of one is cut off."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        end = _whole(fd)
        os.ftruncate(fd, end)
        if os.pwrite(fd, line, end) != len(line):
            os.ftruncate(fd, end)
            raise OSError("the line was not written whole")
        os.fdatasync(fd)
    finally:
        os.close(fd)


def _whole(fd: int) -> int:
    """Return the length up to and with the last newline."""
    end = os.fstat(fd).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        cut = os.pread(fd, end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0


def _last(path: Path) -> dict[str, Any] | None:
    """Return the last whole line. One that somebody damaged is continued all the same: ``verify`` will name it."""
    raw = _last_line(path)
    if raw is None:
        return None
    try:
        found = json.loads(raw)
        return {"seq": int(found["seq"]), "hash": str(found["hash"])}
    except (ValueError, KeyError, TypeError):
        return {"seq": path.read_bytes().count(b"\n"), "hash": hashlib.sha256(raw).hexdigest()}


def _last_line(path: Path) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        end = start = _whole(fd)
        lines: list[bytes] = []
        while start > 0 and len(lines) < 2:
            start = max(0, start - _BLOCK)
            lines = os.pread(fd, end - start, start).splitlines()
        return lines[-1] if lines else None
    finally:
        os.close(fd)
