"""Starting an operation: once, whatever the network repeats."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agent.host import hashkey
from agent.host.paths import Paths
from agent.model.errors import IkomaError, Misuse
from agent.model.names import canonical, fingerprint
from agent.operations import incoming, result, verb, worker
from agent.operations.detach import detach
from agent.operations.journal import Journal, Operation
from agent.operations.lock import Holder, OperationLock, TargetLock

_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """A verified request to change something.

    Attributes:
        operation: as it will be journalled.
        secrets: what only memory may hold.
        check: raises ``Misuse`` when the request makes no sense.
        unchanged: returns the result if there is nothing to do.
        bundle: the received bundle, not yet the operation's own.
    """

    operation: Operation
    secrets: worker.Secrets
    check: Callable[[], None]
    unchanged: Callable[[Path | None], dict[str, Any] | None]
    bundle: Path | None = None

    def with_bundle(self, bundle: Path | None) -> Order:
        """Return the order with what was received."""
        return replace(self, bundle=bundle)


def body_hash(paths: Paths, capability: str, content: dict[str, Any], secret_args: dict[str, Any]) -> str:
    """Return the hash that tells whether a repeated id means the same request.

    Secret arguments enter by HMAC under the host's key: the journal must not allow guessing them.
    """
    key = hashkey.load(paths) if secret_args else b""
    hidden = {name: hmac.new(key, canonical(value), hashlib.sha256).hexdigest() for name, value in secret_args.items()}
    return fingerprint({"capability": capability, "secret": hidden} | content)


def known(paths: Paths, operation: str, hashed: str) -> bool:
    """Say whether the operation exists already.

    Raises:
        Misuse: ``wire.operation_reused`` when it was another request.
    """
    with Journal(paths) as journal:
        found = journal.find(operation)
    if found is not None and found.body_hash != hashed:
        raise Misuse("wire.operation_reused", operation=operation)
    return found is not None


def start(paths: Paths, order: Order, verbs: verb.Verbs) -> bool:
    """Make the operation durable and hand it to a worker of its own; return False when it exists already.

    Raises:
        Misuse: the capability refuses the request, or the id was used for another one. Nothing was changed.
    """
    own = _claim(paths, order)
    if own is None:
        return False
    try:
        order.check()
        bundle = incoming.adopt(order.bundle, paths, order.operation.id) if order.bundle else None
        if not _nothing_to_do(paths, order, bundle):
            _hand_over(paths, order, verbs, own)
    finally:
        if own.held:
            own.path.unlink(missing_ok=True)
            own.release()
    return True


def _hand_over(paths: Paths, order: Order, verbs: verb.Verbs, own: OperationLock) -> None:
    """Give the operation to a worker, and wait until it is in the journal.

    The worker writes it there itself: whatever becomes of us, no operation is known that nobody works on.
    """
    listening, telling = os.pipe()
    detach(lambda: worker.work(paths, order.operation, order.secrets, verbs, own, telling), keep=(own.fd, telling))
    own.forget()
    os.close(telling)
    with open(listening, "rb") as born:
        said = born.read()
    if said != worker.BORN:
        raise IkomaError.from_json(json.loads(said)) if said else IkomaError("operation.never_started")


def _claim(paths: Paths, order: Order) -> OperationLock | None:
    """Take the operation's own lock, or return None when another call was first."""
    own = OperationLock(paths, order.operation.id)
    deadline = time.monotonic() + _PATIENCE
    while not own.acquire(0.1):
        if known(paths, order.operation.id, order.operation.body_hash):
            return None
        if time.monotonic() > deadline:
            raise IkomaError("operation.unsettled", operation=order.operation.id)
    try:
        if not known(paths, order.operation.id, order.operation.body_hash):
            return own
    except BaseException:
        own.release()
        raise
    own.path.unlink(missing_ok=True)
    own.release()
    return None


def _nothing_to_do(paths: Paths, order: Order, bundle: Path | None) -> bool:
    """End the operation at once if its capability finds nothing to do. Never while another one is on the target."""
    operation = order.operation
    lock = TargetLock(paths, operation.target)
    with Journal(paths) as journal:
        if journal.unfinished(operation.target.slug) or not lock.take(Holder(operation.id, operation.capability)):
            return False
        try:
            found = order.unchanged(bundle)
            if found is None:
                return False
            lock.release()
            journal.create_finished(operation, worker.accepted(operation), _finished(operation, found))
        finally:
            lock.release()
    incoming.discard(incoming.folder(paths, operation.id))
    return True


def _finished(operation: Operation, found: dict[str, Any]) -> dict[str, Any]:
    status = str(found.get("status", "HEALTHY"))
    assembled = result.assemble(
        status=status,
        operation=operation.id,
        target=operation.target,
        release=operation.args.get("release"),
        extra=found,
        lang=operation.lang,
    )
    return assembled | {name: found[name] for name in ("steps", "seconds", "warnings") if name in found}
