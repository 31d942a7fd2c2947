"""The engine: steps in order, each with its intent committed before its effect; back again when one fails."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.host import log
from agent.host.clock import since
from agent.model.errors import IkomaError
from agent.operations import faults, result
from agent.operations.journal import Operation
from agent.operations.record import Record
from agent.operations.step import Context, Outcome, Step

COMMIT: Final = "commit"
"""Once this step is done the operation is what it set out to be, whatever happens later."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an operation ended. ``clean`` is False when something could not be taken back."""

    status: str
    result: dict[str, Any]
    clean: bool = True


class Engine:
    """Runs the steps of one operation, or goes on where a dead worker left them.

    Args:
        ends: the status of success.
    """

    def __init__(self, operation: Operation, ctx: Context, record: Record, ends: str) -> None:
        self.operation, self.ctx, self.record, self.ends = operation, ctx, record, ends
        self._at = faults.points(ctx.paths)
        self._clean = True

    def perform(self, steps: Sequence[Step]) -> Ending:
        """Run all steps; on a failure take back what was begun."""
        for position, step in enumerate(steps):
            error = self._try(step, position)
            if error is None:
                continue
            if self._committed():
                self._warn(step, error)
                continue
            return self._back(steps, error, self._failed_status(steps))
        return self._ending(self.ends)

    def recover(self, steps: Sequence[Step]) -> Ending:
        """Finish an operation whose worker is gone: forward when it had committed, else back."""
        status = {row.name: row.status for row in self.record.steps()}
        last = next((step.name for step in reversed(steps) if step.name in status), "")
        over = all(status.get(step.name) in ("done", "skipped") for step in steps)
        forward = over or self._committed()
        self.record.emit("recovered", {"step": last, "direction": "forward" if forward else "back"})
        if not forward:
            return self._back(
                steps, IkomaError("operation.interrupted", step=last or None, at=last or "-"), "INTERRUPTED"
            )
        for position, step in enumerate(steps):
            if status.get(step.name) not in ("done", "skipped") and (error := self._try(step, position)):
                self._warn(step, error)
        return self._ending(self.ends)

    def refuse(self, error: IkomaError, status: str = "FAILED") -> Ending:
        """End without having begun any step."""
        return self._ending(status, error)

    # --- forward

    def _try(self, step: Step, position: int) -> IkomaError | None:
        """Run one step; return its fault, or None when all went well."""
        self.ctx.step, begun = step.name, time.monotonic()
        self.record.step({"step": step.name, "status": "started"}, position=position)
        self._at(f"{step.name}:before")
        try:
            outcome = step.apply(self.ctx)
        except Exception as error:
            fault = self.known(error, step.name)
            data = {"detail": fault.message(self.ctx.lang), "error": fault.to_json(self.ctx.lang)}
            self._say(step.name, "failed", begun, position, data)
            return fault
        self._at(f"{step.name}:after")
        self._say(step.name, outcome.status, begun, position, {"detail": outcome.detail}, outcome)
        return None

    def _say(
        self, name: str, status: str, begun: float, position: int, data: dict[str, Any], outcome: Outcome | None = None
    ) -> None:
        seconds = round(time.monotonic() - begun, 3)
        said = {"step": name, "status": status, "seconds": seconds} | data
        self.record.step(said, outcome.result if outcome else None, position)

    def _committed(self) -> bool:
        return any(row.name == COMMIT and row.status in ("done", "skipped") for row in self.record.steps())

    # --- back

    def _back(self, steps: Sequence[Step], error: IkomaError, status: str) -> Ending:
        begun = {row.name: row for row in self.record.steps()}
        for step in reversed(steps):
            if step.name in begun:
                self._undo(step, begun[step.name].status)
        return self._ending(status, error)

    def _undo(self, step: Step, was: str) -> None:
        self.ctx.step = step.name
        self._at(f"{step.name}:undo")
        try:
            done = _persistently(lambda: step.undo(self.ctx))
        except Exception as error:
            self._clean = False
            self._warn(step, self.known(error, step.name), "operation.undo_failed")
            return
        said = {"step": step.name, "status": "undone", "detail": done}
        if was == "failed" and done:
            self.record.emit("step", said)  # in the result the step that failed stays the one that failed
        elif done or was == "started":
            self.record.step(said)

    def _failed_status(self, steps: Sequence[Step]) -> str:
        begun = {row.name for row in self.record.steps()}
        return "ROLLED_BACK" if any(step.changes and step.name in begun for step in steps) else "FAILED"

    # --- both

    def _warn(self, step: Step, error: IkomaError, message_id: str = "operation.after_commit") -> None:
        lang = self.ctx.lang
        warning = IkomaError(message_id, step=step.name, at=step.name, reason=error.message(lang))
        self.record.emit("warning", warning.to_json(lang) | {"remedy": warning.remedy(lang) or error.remedy(lang)})

    def known(self, error: Exception, step: str | None = None) -> IkomaError:
        """Return a fault the catalogue can tell; the traceback of any other goes to the agent's log alone."""
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            error = IkomaError("operation.disk_full")
        if not isinstance(error, IkomaError):
            reference = log.record(self.ctx.paths, error, self.ctx.redactor)
            error = IkomaError("wire.internal", kind=type(error).__name__, reference=reference)
        error.step = error.step or step
        return error.about(self.ctx.target.options)

    def _ending(self, status: str, error: IkomaError | None = None) -> Ending:
        assembled = result.assemble(
            status=status,
            operation=self.operation.id,
            target=self.operation.target,
            release=self.operation.args.get("release"),
            previous=self.operation.previous,
            seconds=since(self.operation.created),
            rows=self.record.steps(),
            error=error,
            warnings=self.record.warnings(),
            lang=self.ctx.lang,
        )
        return Ending(status, self.record.masked(assembled), self._clean)


def _persistently(undo: Callable[[], str]) -> str:
    """Try an undo a few times: what it needs (the engine, the database) may just be starting again."""
    from tenacity import Retrying, stop_after_attempt, wait_exponential

    for attempt in Retrying(stop=stop_after_attempt(4), wait=wait_exponential(0.5, max=4), reraise=True):
        with attempt:
            return undo()
    raise AssertionError("unreachable")
