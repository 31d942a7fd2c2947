"""What crosses the wire between bridge and agent: request line, body, hello, events, results.

Only the standard library: this module is on the fast path of every call. The grammar:

* ``SSH_ORIGINAL_COMMAND`` is one line: ``v1 hello``, ``v1 attach <operation> after=<n>``,
  ``v1 <capability>`` (reads) or ``v1 <capability> <operation>`` (changes).
* stdin, for capabilities: ``<length>\\n`` and that many bytes of JSON (see ``Body``), then the bundle if there is one.
* stdout: one JSON object a line. First a ``hello``; then for reads one ``result`` or ``error``; for changes
  ``event`` lines and exactly one ``end``. End of stream without ``end`` means reconnect, never failed.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, Final, Literal

from agent.model.errors import Exit, Misuse
from agent.model.names import check_operation

PROTOCOL: Final = (1, 1)
"""Lowest and highest protocol this side speaks."""

SEEN: Final = "audit_seen"
"""In ``Body.client``: the head of the history that this client kept. The answer then brings the way from there."""

MAX_JSON: Final = 16 * 1024 * 1024
MAX_BUNDLE: Final = 256 * 1024 * 1024
"""Bytes of a bundle without images; one that brings its images may be as large as the host's settings allow."""

MAX_LENGTH: Final = 1 << 40
MAX_LINE: Final = 1024 * 1024

ROLES: Final = ("observer", "operator", "builder")
"""Ordered: each may do what the ones before it may."""

Status = Literal["PENDING", "RUNNING", "HEALTHY", "FAILED", "ROLLED_BACK", "INTERRUPTED", "DONE"]
"""DONE ends an operation that deploys nothing (a backup, an environment push)."""

TERMINAL: Final = frozenset({"HEALTHY", "FAILED", "ROLLED_BACK", "INTERRUPTED", "DONE"})
SUCCESS: Final = frozenset({"HEALTHY", "DONE"})

_VERB = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """The parsed ``SSH_ORIGINAL_COMMAND``."""

    verb: str
    operation: str | None = None
    after: int = 0

    def render(self) -> str:
        """Return the line a client sends: of the lowest protocol this side speaks, which an older agent understands."""
        words = [f"v{PROTOCOL[0]}", self.verb]
        if self.operation:
            words.append(self.operation)
        if self.verb == "attach":
            words.append(f"after={self.after}")
        return " ".join(words)


def parse_line(line: str) -> RequestLine:
    """Parse a request line strictly. Raises ``Misuse("wire.bad_request")`` or ``Misuse("wire.version")``."""
    if len(line) > 512 or not line.isascii() or not line.isprintable():
        raise Misuse("wire.bad_request", reason="the command line is not plain ASCII")
    version, *words = line.split(" ")
    if not re.fullmatch(r"v[0-9]{1,3}", version):
        raise Misuse("wire.bad_request", reason="the command line does not start with a protocol version")
    if not PROTOCOL[0] <= int(version[1:]) <= PROTOCOL[1]:
        raise Misuse("wire.version", theirs=f"{PROTOCOL[0]}-{PROTOCOL[1]}", ours=version[1:])
    if not words or len(words) > 3 or not _VERB.fullmatch(words[0]):
        raise Misuse("wire.bad_request", reason="the command line names no capability")
    after = 0
    if len(words) == 3:
        match = re.fullmatch(r"after=([0-9]{1,12})", words[2])
        if words[0] != "attach" or match is None:
            raise Misuse("wire.bad_request", reason="unexpected words after the operation")
        after = int(match[1])
    return RequestLine(words[0], check_operation(words[1]) if len(words) > 1 else None, after)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Short-lived registry credentials; they exist in a request and in the worker's memory, nowhere else."""

    registry: str
    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Body:
    """The JSON part of a request.

    ``args`` belong to the capability. ``bundle_length``/``bundle_sha256`` announce the tar.gz that follows.
    ``on_busy`` says whether a target held by another operation is waited for. ``client`` says who asks:
    actor, repository, run URL, commit (for the audit and for "who holds the lock").
    """

    app: str | None = None
    environment: str = "production"
    args: dict[str, Any] = field(default_factory=dict)
    lang: str = "en"
    on_busy: Literal["wait", "refuse"] = "wait"
    client: dict[str, str] = field(default_factory=dict)
    credentials: Credentials | None = None
    bundle_length: int = 0
    bundle_sha256: str = ""

    def encode(self) -> bytes:
        """Return ``<length>\\n<json>``."""
        raw = json.dumps(asdict(self), separators=(",", ":")).encode()
        return str(len(raw)).encode() + b"\n" + raw


def read_body(stream: BinaryIO) -> Body:
    """Read and check the JSON part of a request. Raises ``Misuse("wire.body")``; reads nothing beyond it."""
    header = stream.readline(12)
    if not header.endswith(b"\n") or not header[:-1].isdigit():
        raise Misuse("wire.body", reason="its length is missing")
    length = int(header)
    if length > MAX_JSON:
        raise Misuse("wire.body", reason=f"{length} bytes of JSON are more than the {MAX_JSON} allowed")
    raw = stream.read(length)
    if len(raw) != length:
        raise Misuse("wire.body", reason="it ended early")
    try:
        data = json.loads(raw.decode())
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate could be written neither to journal nor audit
        return _body(data)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Misuse("wire.body", reason="it is no request") from None


def _body(data: dict[str, Any]) -> Body:
    credentials = data.pop("credentials", None)
    body = Body(**data, credentials=Credentials(**credentials) if credentials else None)
    expected = {
        "environment": str, "args": dict, "lang": str, "client": dict, "bundle_length": int, "bundle_sha256": str,
    }  # fmt: skip
    for name, kind in expected.items():
        if type(getattr(body, name)) is not kind:
            raise TypeError(name)
    if not (body.app is None or isinstance(body.app, str)) or body.on_busy not in ("wait", "refuse"):
        raise TypeError("app")
    if not 0 <= body.bundle_length <= MAX_LENGTH:
        raise ValueError("bundle_length")
    return body


@dataclass(frozen=True, slots=True)
class Hello:
    """The first line the agent prints on every call."""

    protocol: tuple[int, int]
    version: str
    role: str
    key: str
    capabilities: tuple[str, ...]
    audit_head: str = ""
    t: str = "hello"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Hello:
        """Rebuild a hello; fields this side does not know are ignored (the wire only grows)."""
        return cls(
            protocol=(int(data["protocol"][0]), int(data["protocol"][1])),
            version=str(data["version"]),
            role=str(data["role"]),
            key=str(data["key"]),
            capabilities=tuple(data.get("capabilities", ())),
            audit_head=str(data.get("audit_head", "")),
        )

    def check(self) -> None:
        """Raise ``Misuse("wire.version")`` when the two sides share no protocol."""
        low, high = self.protocol
        if high < PROTOCOL[0] or low > PROTOCOL[1]:
            raise Misuse("wire.version", theirs=f"{low}-{high}", ours=f"{PROTOCOL[0]}-{PROTOCOL[1]}")


EventKind = Literal["accepted", "waiting", "started", "step", "progress", "log", "warning", "recovered", "end"]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an operation's journal. ``seq`` starts at 1 and has no gaps; ``end`` is the last.

    ``data`` by kind: *waiting* ``holder, since, client``; *step* ``step, status`` (started, done, skipped, failed,
    undone), ``seconds, detail``; *progress* ``step, text``; *log* ``step, service, line``;
    *warning* ``id, message, remedy``; *end* ``status, result`` (and ``result["error"]``).
    """

    op: str
    seq: int
    ts: str
    kind: EventKind
    data: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"t": "end" if self.kind == "end" else "event", **asdict(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Event:
        return cls(str(data["op"]), int(data["seq"]), str(data["ts"]), data["kind"], dict(data["data"]))


def encode_line(value: dict[str, Any]) -> bytes:
    """Return one NDJSON line, UTF-8, never with a raw newline or control character inside."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


_CHANNEL: Final = {"HEALTHY": 0, "DONE": 0, "ROLLED_BACK": 10, "FAILED": 11, "INTERRUPTED": 75}


def channel_exit(status: str) -> int:
    """Return the exit code of the SSH channel for a terminal status: a hint for people, never the truth."""
    return _CHANNEL.get(status, 75)


def exit_code(status: str) -> Exit:
    """Return the exit code of a command for a terminal status."""
    return Exit.DONE if status in SUCCESS else Exit.FAILED


def answer_code(answer: Any) -> Exit:
    """Return the exit code of a command for a read's answer: one that says no (``ok``, ``verified``) has failed."""
    said_no = isinstance(answer, dict) and any(answer.get(name) is False for name in ("ok", "verified"))
    return Exit.FAILED if said_no else Exit.DONE
