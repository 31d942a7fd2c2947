"""What every door offers, after it has found out who asks: hello, reads, changes, attaching. It decides who may."""

from __future__ import annotations

import errno
import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import agent
from agent.capabilities import Index
from agent.capabilities.call import Call
from agent.capabilities.index import Capability
from agent.host import audit, ballast, history
from agent.host import settings as host_settings
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model.errors import IkomaError, Misuse
from agent.model.messages import LANGUAGES
from agent.model.names import Target
from agent.operations import follow, incoming, lock, recovery, start
from agent.operations.journal import Journal, Operation
from agent.operations.worker import Secrets
from agent.protocol import PROTOCOL, SEEN, Body, Event, Hello

_LAST_LINE: Final = 1.0
"""Seconds that the end of an operation waits for its own line in the history, so that the head it carries has it."""


REFUSED: Final = frozenset(
    {"alert.host", "http.role", "keys.foreign", "wire.forbidden", "wire.foreign_app", "wire.unknown_key"}
)
"""What the history calls refused: the caller may not. The rest are errors."""


class Service:
    """The agent, for one call of one key.

    Args:
        door: its name in the audit: ``ssh``, ``cli``.
    """

    def __init__(self, paths: Paths, index: Index, grant: Grant, door: str) -> None:
        self.paths, self.index, self.grant, self.door = paths, index, grant, door

    def hello(self) -> Hello:
        """Return who we are and what the key may do."""
        return Hello(
            protocol=PROTOCOL,
            version=agent.__version__,
            role=self.grant.role,
            key=self.grant.name,
            capabilities=tuple(name for name, one in self.index.items() if self.grant.has_role(one.role)),
            audit_head=audit.head(self.paths),
        )

    def capability(self, name: str, operation: str | None) -> Capability:
        """Return the capability if it exists, the role suffices and the request has the right form.

        Raises:
            Misuse: ``wire.unknown_capability``, ``wire.forbidden``, ``wire.bad_request``.
        """
        found = self.index.get(name)
        if found is None:
            raise Misuse("wire.unknown_capability", capability=name, nearest=_nearest(name, self.index))
        if not self.grant.has_role(found.role):
            raise Misuse(
                "wire.forbidden", key=self.grant.name, role=self.grant.role, capability=name, needed=found.role
            )
        if found.changes != (operation is not None):
            raise Misuse("wire.bad_request", reason="a change needs an operation id, a read takes none")
        return found

    def read(self, capability: Capability, body: Body) -> Any:
        """Answer a read. Raises what the capability raises."""
        call = self._call(capability, body)
        self.recover(call.target)
        with _about(call):
            answer: Any = importlib.import_module(capability.module).run(call)
        self.audit(capability.name, "ok", body)
        return answer

    def change(self, capability: Capability, operation: str, body: Body, stream: IO[bytes]) -> None:
        """Start the operation, or find that it was started before. The bundle is read from ``stream``."""
        call = self._call(capability, body, operation)
        order = self._order(capability, call, body)
        self.recover(call.target)
        if start.known(self.paths, operation, order.operation.body_hash):
            self.audit(capability.name, "ok", body, operation, note={"repeated": "true"})
            return
        self._start(order, body, stream)
        self.audit(capability.name, "ok", body, operation)

    def attach(
        self, operation: str, after: int, show: Callable[[Event], None], client: int | None = None
    ) -> str | None:
        """Replay and follow an operation; return its terminal status, None when the client went away."""
        found = self.find(operation)
        self.audit("attach", "ok", Body(app=found.target.app, environment=found.target.environment), operation)
        self.recover()
        return self.follow(operation, after, show, client)

    def find(self, operation: str) -> Operation:
        """Return an operation that the key may look at.

        Raises:
            Misuse: ``wire.unknown_operation``, ``wire.foreign_app``.
        """
        with Journal(self.paths) as journal:
            found = journal.find(operation)
        if found is None:
            raise Misuse("wire.unknown_operation", operation=operation)
        self._check_target(found.target)
        return found

    def follow(
        self, operation: str, after: int, show: Callable[[Event], None], client: int | None = None
    ) -> str | None:
        """Follow an operation that this call started or was allowed to attach to."""
        return follow.follow(self.paths, operation, after, show, client=client, orphaned=self.recover)

    def recover(self, target: Target | None = None) -> None:
        """Have what is stranded recovered; wait for the target's. Forks: a door with threads does it elsewhere."""
        recovery.ensure(self.paths, self.index, target)

    def audit(
        self, capability: str, outcome: str, body: Body | None = None, operation: str | None = None,
        error: IkomaError | None = None, note: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Write the line of this call into the history; ``note`` is what else it says."""
        audit.append(self.paths, audit.Entry(
            key=self.grant.name, role=self.grant.role, door=self.door, capability=capability, result=outcome,
            app=body.app if body else None, environment=body.environment if body and body.app else None,
            operation=operation, error_id=error.id if error else None, client=_client(body) if body else {},
            note=note or {},
        ))  # fmt: skip

    def history(self, body: Body | None, ended: str = "") -> dict[str, Any]:
        """Return what an answer says of the history: its head, and the way there from the head that the client kept.

        Args:
            ended: an operation whose last line is waited for, a moment at most.
        """
        deadline = time.monotonic() + _LAST_LINE
        while ended and lock.is_alive(self.paths, ended) and time.monotonic() < deadline:
            time.sleep(0.005)
        found: dict[str, Any] = {"head": audit.head(self.paths)}
        if body is not None and (seen := audit.Head.parse(str(body.client.get(SEEN, "")))) is not None:
            found |= {"after": seen.seq, "bodies": history.proof(self.paths, seen.seq)}
        return {"audit": found}

    def _start(self, order: start.Order, body: Body, stream: IO[bytes]) -> None:
        try:
            if body.bundle_length:
                settings = host_settings.load(self.paths)
                incoming.check_room(self.paths, body.bundle_length, settings.max_bundle_mb, settings.min_free_mb)
                self._start_with(order, incoming.receive(stream, self.paths, body.bundle_length, body.bundle_sha256))
            else:
                self._start_on_full_disk(order)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise IkomaError("operation.disk_full") from error
            raise

    def _start_with(self, order: start.Order, bundle: Path) -> None:
        try:
            start.start(self.paths, order.with_bundle(bundle), self.index)
        finally:
            incoming.discard(bundle)  # it is elsewhere by now, unless the operation never came to be

    def _start_on_full_disk(self, order: start.Order) -> None:
        """Start what brings nothing along (a rollback, a restart) even if only the ballast makes room for it."""
        try:
            start.start(self.paths, order, self.index)
        except OSError as error:
            if error.errno != errno.ENOSPC or not ballast.free(self.paths):
                raise
            start.start(self.paths, order, self.index)

    def _order(self, capability: Capability, call: Call, body: Body) -> start.Order:
        target = call.the_target
        hidden = {name: value for name, value in body.args.items() if name in capability.secret_args}
        shown = {name: value for name, value in body.args.items() if name not in capability.secret_args}
        content = {"target": target.slug, "args": shown, "bundle": body.bundle_sha256}
        hashed = start.body_hash(self.paths, capability.name, content, hidden)
        operation = Operation(
            call.operation, capability.name, target, self.grant.name, self.grant.role, call.lang, body.on_busy,
            call.client, shown, hashed,
        )  # fmt: skip
        return start.Order(
            operation, Secrets(body.credentials, hidden), _check(capability, call), _unchanged(capability, call)
        )

    def _call(self, capability: Capability, body: Body, operation: str = "") -> Call:
        target = Target(body.app, body.environment) if body.app else None
        if target is None and (capability.needs_target or capability.changes):
            raise Misuse("wire.no_app", capability=capability.name)
        if target is not None:
            self._check_target(target)
        _check_arguments(capability, body.args)
        return Call(
            target=target,
            args=body.args,
            paths=self.paths,
            settings=host_settings.load(self.paths),
            lang=body.lang if body.lang in LANGUAGES else "en",
            key=self.grant.name,
            role=self.grant.role,
            client=_client(body),
            operation=operation,
            grant=self.grant,
        )

    def _check_target(self, target: Target) -> None:
        if not self.grant.may_act_on(target):
            raise Misuse("wire.foreign_app", key=self.grant.name, slug=target.slug)


@contextmanager
def _about(call: Call) -> Iterator[None]:
    """Let what goes wrong name the target in the commands that it suggests."""
    try:
        yield
    except IkomaError as error:
        if call.target is not None:
            error.about(call.target.options)
        raise


def _check(capability: Capability, call: Call) -> Callable[[], None]:
    def check() -> None:
        asked = getattr(importlib.import_module(capability.module), "check", None)
        if asked is not None:
            with _about(call):
                asked(call)

    return check


def _unchanged(capability: Capability, call: Call) -> Callable[[Path | None], dict[str, Any] | None]:
    def unchanged(bundle: Path | None) -> dict[str, Any] | None:
        asked = getattr(importlib.import_module(capability.module), "unchanged", None)
        found: dict[str, Any] | None = asked(call, bundle) if asked is not None else None
        return found

    return unchanged


def _client(body: Body) -> dict[str, str]:
    """Return what the client says of itself, cut to a size that a journal can bear."""
    return {str(name)[:40]: str(value)[:300] for name, value in list(body.client.items())[:20]}


def _check_arguments(capability: Capability, args: Mapping[str, Any]) -> None:
    """Refuse what the capability does not take: a typing error must not mean "all services"."""
    unknown = [] if capability.takes is None else [name for name in args if name not in capability.takes]
    if unknown:
        raise Misuse(
            "wire.unknown_argument", capability=capability.name, argument=unknown[0][:40],
            takes=", ".join(capability.takes or ()) or "–",
        )  # fmt: skip


def _nearest(name: str, index: Index) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(index), n=1)
    return f" ({close[0]}?)" if close else ""
