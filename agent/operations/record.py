"""The journal of one operation, as its steps see it. Known secrets are masked before anything is durable."""

from __future__ import annotations

from typing import Any, Final

from agent.model.secret import Redactor
from agent.operations.journal import Journal, StepRow
from agent.protocol import EventKind

_IDENTITY: Final = frozenset(
    {"id", "step", "status", "name", "app", "environment", "release", "previous", "operation", "service", "holder"}
)
"""Fields that hold names of ours: a secret that happens to equal one must not make a report unreadable."""


class Record:
    """Implements ``step.Journal``."""

    def __init__(self, journal: Journal, operation: str, redactor: Redactor) -> None:
        self._journal, self._operation, self._redactor = journal, operation, redactor

    def emit(self, kind: EventKind, data: dict[str, Any]) -> None:
        """Commit one event."""
        self._journal.append(self._operation, kind, self.masked(data))

    def step(self, data: dict[str, Any], result: dict[str, Any] | None = None, position: int = 0) -> None:
        """Commit what became of a step, with what it adds to the result."""
        self._journal.step(self._operation, self.masked(data), self.masked(result or {}), position)

    def note(self, step: str, facts: dict[str, Any]) -> None:
        """Commit facts that an undo needs."""
        self._journal.note(self._operation, step, facts)

    def notes(self, step: str) -> dict[str, Any]:
        """Return the facts noted for a step."""
        return self._journal.notes(self._operation, step)

    def steps(self) -> list[StepRow]:
        """Return the steps begun so far."""
        return self._journal.steps(self._operation)

    def warnings(self) -> list[dict[str, Any]]:
        """Return the warnings given so far."""
        return self._journal.warnings(self._operation)

    def masked(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return ``data`` with known secrets masked in every text but names."""
        return {key: value if key in _IDENTITY else self._mask(value) for key, value in data.items()}

    def _mask(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redactor(value)
        if isinstance(value, dict):
            return self.masked(value)
        if isinstance(value, list | tuple):
            return [self._mask(item) for item in value]
        return value
