"""What surrounds the steps of an operation: their context before, the tidying up behind."""

from __future__ import annotations

from agent.host import audit
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.secret import Redactor
from agent.operations import incoming
from agent.operations.engine import Ending
from agent.operations.journal import Journal, Operation
from agent.operations.lock import TargetLock
from agent.operations.record import Record
from agent.operations.step import Context
from agent.protocol import SUCCESS, Credentials


def context(
    operation: Operation,
    paths: Paths,
    settings: Settings,
    record: Record,
    redactor: Redactor,
    credentials: Credentials | None = None,
    recovering: bool = False,
) -> Context:
    """Return what the steps of ``operation`` share."""
    bundle = incoming.folder(paths, operation.id)
    return Context(
        operation=operation.id,
        target=operation.target,
        paths=paths,
        settings=settings,
        args=dict(operation.args),
        bundle=bundle if bundle.is_dir() else None,
        journal=record,
        lang=operation.lang,
        credentials=credentials,
        redactor=redactor,
        client=operation.client,
        key=operation.key,
        recovering=recovering,
    )


def finish(paths: Paths, journal: Journal, operation: Operation, ending: Ending, lock: TargetLock | None) -> None:
    """Commit the end of an operation (its target is free at that moment), then tidy up."""
    journal.finish(operation.id, ending.status, ending.result, lock.release if lock else lambda: None)
    incoming.discard(incoming.folder(paths, operation.id))
    audit.append(paths, audit.Entry(
        key=operation.key, role=operation.role, door="worker", capability=operation.capability,
        app=operation.target.app, environment=operation.target.environment, operation=operation.id,
        result="ok" if ending.status in SUCCESS else "error",
        note={"override": str(why)[:300]} if (why := operation.args.get("override")) else {},
        error_id=(ending.result.get("error") or {}).get("id"), client=operation.client, status=ending.status,
    ))  # fmt: skip
