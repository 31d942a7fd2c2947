"""What a step is, and what it may use. One step is one small class; its name is its name everywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from agent.host.paths import Paths, TargetPaths
from agent.host.settings import Settings
from agent.model.names import Target
from agent.model.secret import Redactor
from agent.protocol import Credentials, EventKind


class Journal(Protocol):
    """The durable side of one running operation."""

    def emit(self, kind: EventKind, data: dict[str, Any]) -> None:
        """Commit one event; it is shown only after it is durable."""

    def note(self, step: str, facts: dict[str, Any]) -> None:
        """Commit facts that ``undo`` needs, before the effect they describe. Merges into earlier ones."""

    def notes(self, step: str) -> dict[str, Any]:
        """Return the facts noted for ``step`` so far, by this worker or one before it."""


@dataclass(slots=True)
class Context:
    """All that the steps of one operation share.

    ``facts`` live in this process only (a parsed release, an open plan); what must survive a kill goes through
    ``note``. ``credentials`` are None in a recovery. ``bundle`` is the folder of the unpacked, verified bundle
    (``release.json``, ``migrations/``, ``files/``, ``seeds/``); it is gone once the operation has ended.
    """

    operation: str
    target: Target
    paths: Paths
    settings: Settings
    args: dict[str, Any]
    bundle: Path | None
    journal: Journal
    lang: str = "en"
    credentials: Credentials | None = None
    redactor: Redactor = field(default_factory=Redactor)
    client: dict[str, str] = field(default_factory=dict)
    key: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    step: str = ""
    recovering: bool = False

    @property
    def home(self) -> TargetPaths:
        """The target's own folder."""
        return self.paths.target(self.target)

    def progress(self, text: str) -> None:
        """Say what goes on inside the running step (already in the operation's language)."""
        self.journal.emit("progress", {"step": self.step, "text": self.redactor(text)})

    def log(self, service: str, line: str) -> None:
        """Hand on a line of foreign output."""
        self.journal.emit("log", {"step": self.step, "service": service, "line": self.redactor(line)[:2000]})

    def note(self, **facts: Any) -> None:
        """Make facts durable for the undo of the running step."""
        self.journal.note(self.step, facts)

    def notes(self, step: str | None = None) -> dict[str, Any]:
        """Return what was noted for ``step`` (default: the running one)."""
        return self.journal.notes(step or self.step)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended well. ``result`` is merged into the operation's result (``services``, ``migrations``, …)."""

    status: Literal["done", "skipped"] = "done"
    detail: str = ""
    result: dict[str, Any] = field(default_factory=dict)


class Step(ABC):
    """One step of an operation.

    ``apply`` raises ``IkomaError`` for a foreseeable fault. ``undo`` must work from the journal's notes and the
    outside world alone (it may run in another process after a kill -9), must be repeatable, and must do nothing
    when ``apply`` had no effect. ``changes`` says that containers are touched: a failure from here on is
    ROLLED_BACK instead of FAILED.
    """

    name: ClassVar[str]
    changes: ClassVar[bool] = False

    @abstractmethod
    def apply(self, ctx: Context) -> Outcome: ...

    def undo(self, ctx: Context) -> str:
        """Take the effect back; return a line for the report (empty when there was nothing to do)."""
        return ""
