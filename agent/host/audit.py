"""The history of calls: one JSON line each, chained by SHA-256. This is its writing side; ``history`` reads it.

Root on the host can rewrite all of it; what cannot be rewritten unnoticed is what somebody else has seen. Therefore
every hello and every answer carries the head of the chain, and the bridge keeps it. The hash of a line is made of the
hash before it and of the hash of its content, so that a key that may not read a line can still follow the chain
through it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
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
_HEAD_SIZE: Final = 96


@dataclass(frozen=True, slots=True)
class Entry:
    """One call. Never a value of a secret, never an argument.

    Attributes:
        note: what else the line says, by name: why a policy was overridden, what retention took away.
    """

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
    note: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the line; ``status`` only where an operation ended."""
        line: dict[str, Any] = {
            "key": self.key, "role": self.role, "door": self.door, "capability": self.capability,
            "appName": self.app, "environment": self.environment, "operation": self.operation,
            "result": self.result, "error_id": self.error_id, "client": self.client,
        }  # fmt: skip
        return line | ({"status": self.status} if self.status else {}) | ({"note": self.note} if self.note else {})


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain stands: number and hash of a line."""

    seq: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}" if self.seq else ""

    @classmethod
    def parse(cls, text: str) -> Head | None:
        """Return the head in ``<seq>:<hash>``, None when it is none."""
        seq, _, digest = text.strip().partition(":")
        if not seq.isascii() or not seq.isdigit() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            return None
        return cls(int(seq), digest)


def link(previous: str, body: str) -> str:
    """Return the hash of the line whose content has the hash ``body``, behind the line with hash ``previous``."""
    return hashlib.sha256(f"{previous}{body}".encode()).hexdigest()


def body(line: dict[str, Any]) -> str:
    """Return the hash of a line's content."""
    return fingerprint({name: value for name, value in line.items() if name not in ("prev", "hash")})


def append(paths: Paths, entry: Entry) -> str:
    """Append one line, durably, and return the new head of the chain.

    A full disk is met with the ballast. If the line still cannot be written the agent's log says so, and the call
    goes on: a rollback must work on a full disk.
    """
    for _ in range(2):
        try:
            with _locked(paths):
                return str(_append(paths, entry))
        except OSError as error:
            if not ballast.free(paths):
                log.record(paths, error)
                return ""
    return ""


def head(paths: Paths) -> str:
    """Return ``<seq>:<hash>`` of the last line, empty when there is none."""
    return str(_head(paths))


def rotate(paths: Paths, megabytes: int) -> Path | None:
    """Begin a new file if the present one has grown beyond ``megabytes``; return the one that was put away.

    The chain goes on: the first line of the new file continues the last one of the old.
    """
    with _locked(paths):
        if not paths.audit.exists() or paths.audit.stat().st_size < megabytes * 1024 * 1024:
            return None
        aside = paths.log / f"audit-{_head(paths).seq:012d}.jsonl"
        paths.audit.rename(aside)
    return aside


def remembered(paths: Paths) -> Head:
    """Return the head as it was noted beside the journal after the last line: a file that was cut shows."""
    try:
        return Head.parse(paths.audit_head.read_text()) or Head()
    except (OSError, UnicodeDecodeError):
        return Head()


@contextlib.contextmanager
def _locked(paths: Paths) -> Iterator[None]:
    lock = Flock(paths.locks / "audit.lock")
    if not lock.acquire(_WAIT):
        raise TimeoutError(str(lock.path))
    try:
        yield
    finally:
        lock.release()


def _append(paths: Paths, entry: Entry) -> Head:
    last = _head(paths)
    line = {"ts": now(), "seq": last.seq + 1, **entry.to_json(), "prev": last.hash}
    line["hash"] = link(last.hash, body(line))
    _write(paths.audit, json.dumps(line, separators=(",", ":")).encode() + b"\n")
    found = Head(last.seq + 1, line["hash"])
    _remember(paths, found)
    return found


def _head(paths: Paths) -> Head:
    """Return what the next line continues.

    Where the file ends before the line that was noted, or ends with another one, the noted one is continued: the gap
    stays in the file for good, and ``verify`` names it.
    """
    noted, last = remembered(paths), _last(paths)
    return last if last.seq > noted.seq else noted


def _remember(paths: Paths, found: Head) -> None:
    """Note the head, in place: this needs no room on a full disk. Without it the file is ahead, which is no fault."""
    with contextlib.suppress(OSError):
        fd = os.open(paths.audit_head, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            os.pwrite(fd, str(found).ljust(_HEAD_SIZE).encode(), 0)
        finally:
            os.close(fd)


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


def _last(paths: Paths) -> Head:
    """Return number and hash of the last line in the file; one that somebody damaged counts as none."""
    raw = _last_line(paths.audit)
    try:
        found = json.loads(raw or b"null")
        return Head(int(found["seq"]), str(found["hash"]))
    except (ValueError, KeyError, TypeError):
        return Head()


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
