"""The agent's client: calls, operations that outlive the connection, and every event exactly once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import paramiko  # noqa: F401 (before Fabric, which takes its parts first)
from fabric import Connection

from agent.host.audit import Head
from agent.model.errors import Exit, IkomaError
from agent.protocol import SEEN, Body, Event, Hello, RequestLine
from bridge.remote import heads
from bridge.remote.channel import Call, Lost, chunks
from bridge.remote.connection import Destination, connect
from bridge.remote.outage import GIVE_UP_S, Outage
from bridge.remote.text import neutral_value

OnEvent = Callable[[Event], None]

_READ_GIVE_UP_S: Final = 20.0
_READ_SILENCE_S: Final = 120.0
# What may pass by itself while a host restarts or a network is down; anything else is said at once.
PASSING: Final = frozenset({"remote.dns", "remote.refused", "remote.timeout", "remote.unreachable", "remote.no_ssh"})


class Agent:
    """Speaks with the agent of one host over one connection that is opened when needed and again when lost.

    Args:
        give_up: seconds a host may stay away in the middle of an operation before ``remote.detached`` is raised.
    """

    def __init__(self, destination: Destination, give_up: float = GIVE_UP_S) -> None:
        self.destination = destination
        self._give_up = give_up
        self._connection: Connection | None = None
        self._greeting: Hello | None = None
        self._seen: Head | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def open(self) -> None:
        """Connect now, so that the first call need not. Raises what ``connect`` raises."""
        self._connect()

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def hello(self) -> Hello:
        """Return what the agent says of itself: protocol, version, this key's role and capabilities.

        Raises:
            IkomaError: what ``connect`` raises, ``remote.no_agent``, ``remote.lost``, ``wire.version``.
        """
        self._ask(RequestLine("hello"), None)
        assert self._greeting is not None  # noqa: S101 (no answer comes before a hello)
        return self._greeting

    def read(self, capability: str, body: Body) -> dict[str, Any]:
        """Call a capability that changes nothing and return its result.

        Raises:
            IkomaError: what the agent answers, and what ``hello`` raises.
        """
        return self._ask(RequestLine(capability), body)

    def perform(
        self, capability: str, body: Body, bundle: bytes | Path | None, operation: str, on_event: OnEvent
    ) -> dict[str, Any]:
        """Start an operation and follow it to its end, across lost connections.

        Args:
            bundle: sent after the body; its length and SHA-256 are filled in here.
            operation: the id that makes a repetition of this request harmless.
            on_event: called with each event once, in order, whatever happens to the connection.

        Returns:
            The operation's result, failed ones too: its ``status`` says how it ended.

        Raises:
            IkomaError: the agent refused the request; ``remote.detached`` (exit code 3) when the host stays away or the
                user interrupts: the operation goes on without us.
        """
        announce(body, bundle)
        request = _Request(RequestLine(capability, operation), body, bundle)
        return self._follow(_Following(operation, 0, on_event), request)

    def attach(self, operation: str, after: int, on_event: OnEvent) -> dict[str, Any]:
        """Follow an operation that runs or has ended, from the event after number ``after``. See ``perform``."""
        return self._follow(_Following(operation, after, on_event), None)

    def _ask(self, line: RequestLine, body: Body | None) -> dict[str, Any]:
        outage = Outage(_READ_GIVE_UP_S)
        try:
            return outage.retrying()(self._ask_once, line, body, outage)
        except Lost as lost:
            raise IkomaError("remote.lost", destination=self.destination, reason=lost) from None

    def _ask_once(self, line: RequestLine, body: Body | None, outage: Outage) -> dict[str, Any]:
        outage.attempt()
        with self._attempt(outage):
            for answer in self._call(line, body, None, _READ_SILENCE_S):
                if body is None:
                    return {}
                if answer["t"] == "result":
                    self._extended(answer)
                    return dict(answer["result"])
            raise Lost("the connection ended before the answer")

    def _follow(self, following: _Following, request: _Request | None) -> dict[str, Any]:
        outage = Outage(self._give_up)
        try:
            return outage.retrying()(self._follow_once, following, request, outage)
        except Lost as lost:
            raise detached(following.operation, self.destination, str(lost)) from None
        except IkomaError as error:
            if following.known and error.id.startswith("remote."):
                raise detached(following.operation, self.destination, str(error)) from error
            raise
        except KeyboardInterrupt:
            self.close()
            raise detached(following.operation, self.destination, "", interrupted=True) from None

    def _follow_once(self, following: _Following, request: _Request | None, outage: Outage) -> dict[str, Any]:
        """Ask once and read until the end. The request itself is sent only while the host does not know it."""
        outage.attempt()
        send = request is not None and not request.sent
        with self._attempt(outage, patient=following.known or (request is not None and request.sent)):
            try:
                answers = self._sent(request) if send and request else self._attached(following)
                return self._read_to_end(following, answers, outage)
            except IkomaError as error:
                if send or request is None or error.id != "wire.unknown_operation":
                    raise
                request.sent = False
                raise Lost("the host has not received the request") from None

    def _sent(self, request: _Request) -> Iterator[dict[str, Any]]:
        self._connect()
        request.sent = True  # from here on it may have arrived: ask before sending it again
        return self._call(request.line, request.body, request.bundle, None)

    def _attached(self, following: _Following) -> Iterator[dict[str, Any]]:
        return self._call(RequestLine("attach", following.operation, following.last), None, None, None)

    def _read_to_end(self, following: _Following, answers: Iterator[dict[str, Any]], outage: Outage) -> dict[str, Any]:
        for answer in answers:
            if answer["t"] == "hello":
                outage.contact()
            elif answer["t"] in ("event", "end") and (event := following.take(answer)):
                outage.progress()
                if event.kind == "end":
                    return dict(event.data.get("result") or {}) | {"audit_head": self._ended(answer)}
        raise Lost("the connection ended before the operation")

    def _call(
        self, line: RequestLine, body: Body | None, bundle: bytes | Path | None, silence: float | None
    ) -> Iterator[dict[str, Any]]:
        """Yield what the host says, made safe to print; an ``error`` is raised."""
        transport = self._connect().transport
        self._seen = heads.kept(self.identity())  # before the host is asked: meanwhile another command may keep a later
        payload = chain([self._request(body)], chunks(bundle)) if body else ()
        call = Call(transport, line.render(), payload, silence)
        try:
            for raw in call.answers():
                answer = neutral_value(raw)
                if answer.get("t") == "hello":
                    self._greet(answer)
                elif answer.get("t") == "error":
                    raise refusal(answer)
                yield answer
        finally:
            call.close()

    def _request(self, body: Body) -> bytes:
        """Return the JSON part, with the head of the history that we kept: the answer must lead on from there."""
        if self._seen is not None:
            body.client = {**body.client, SEEN: str(self._seen)}
        return body.encode()

    def _greet(self, answer: dict[str, Any]) -> None:
        try:
            self._greeting = Hello.from_json(answer)
        except (KeyError, TypeError, ValueError, IndexError):
            raise IkomaError("remote.garbled", said="hello") from None
        self._greeting.check()
        heads.greeted(self.destination, self._seen, self._greeting.audit_head)

    def identity(self) -> str:
        """Return the fingerprint of the host's key: by it a host is known, wherever it is reached."""
        return str(self._connect().transport.get_remote_server_key().fingerprint)

    def _ended(self, answer: dict[str, Any]) -> str:
        """Return the head at the end of an operation; one that was attached to brings no proof, its head alone."""
        said = answer.get("audit")
        if isinstance(said, dict) and "bodies" in said:
            return self._extended(answer)
        return str(said.get("head", "")) if isinstance(said, dict) else ""

    def _extended(self, answer: dict[str, Any]) -> str:
        """Take what an answer says of the history; return the head that is proven now, empty when none is."""
        proven = heads.answered(self.destination, self.identity(), self._seen, answer.get("audit"))
        return str(proven) if proven else ""

    def _connect(self) -> Connection:
        if self._connection is None or not self._connection.is_connected:
            self._connection = connect(self.destination)
        return self._connection

    def _attempt(self, outage: Outage, patient: bool = False) -> _Attempt:
        return _Attempt(self, outage, patient)


class _Attempt:
    """Around one attempt: a loss closes the connection and counts; a passing fault is a loss when we are patient."""

    def __init__(self, agent: Agent, outage: Outage, patient: bool) -> None:
        self._agent, self._outage = agent, outage
        self._patient = patient or outage.failures > 0

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        passing = isinstance(error, IkomaError) and error.id in PASSING and self._patient
        if isinstance(error, Lost) or passing:
            self._agent.close()
            self._outage.failed()
        if passing:
            raise Lost(str(error)) from None


class _Request:
    """What is sent to start an operation, and whether it may already have arrived."""

    def __init__(self, line: RequestLine, body: Body, bundle: bytes | Path | None) -> None:
        self.line, self.body, self.bundle = line, body, bundle
        self.sent = False


class _Following:
    """Where we are in an operation's events; hands each on once."""

    def __init__(self, operation: str, last: int, on_event: OnEvent) -> None:
        self.operation, self.last = operation, last
        self.known = False
        self._on_event = on_event

    def take(self, answer: dict[str, Any]) -> Event | None:
        """Hand on the event if it is the next one; None for one already seen. A gap is a damaged stream: ``Lost``."""
        event = _event(answer)
        if event.op != self.operation or event.seq > self.last + 1:
            raise Lost(f"event {event.seq} came after event {self.last}")
        if event.seq <= self.last:
            return None
        self.last, self.known = event.seq, True
        self._on_event(event)
        return event


def _event(answer: dict[str, Any]) -> Event:
    try:
        return Event.from_json(answer)
    except (KeyError, TypeError, ValueError):
        raise IkomaError("remote.garbled", said="event") from None


def announce(body: Body, bundle: bytes | Path | None) -> None:
    """Write the length (bytes) and SHA-256 of ``bundle`` into ``body``."""
    digest, length = hashlib.sha256(), 0
    for piece in chunks(bundle):
        digest.update(piece)
        length += len(piece)
    body.bundle_length, body.bundle_sha256 = length, digest.hexdigest() if length else ""


def refusal(answer: dict[str, Any]) -> IkomaError:
    """Return the error in an ``error`` line."""
    data = answer.get("error")
    try:
        return IkomaError.from_json(data if isinstance(data, dict) else {}, Exit(int(answer.get("exit", Exit.FAILED))))
    except ValueError:
        return IkomaError.from_json(data if isinstance(data, dict) else {})


def detached(operation: str, destination: Destination, reason: str, interrupted: bool = False) -> IkomaError:
    """Return the error that says: the operation goes on without us, and how to see it again."""
    return IkomaError(
        "remote.interrupted" if interrupted else "remote.detached",
        exit_code=Exit.DETACHED,
        operation=operation,
        command=f"python -m bridge attach {operation}",
        destination=destination,
        reason=reason,
    )
