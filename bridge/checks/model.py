"""What a rule is and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.checks.facts import Facts


class Severity(IntEnum):
    """How bad a finding is; the higher, the worse."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        return self.name.lower()


Change = Callable[[str], str]
"""Takes the text of a file (empty when it does not exist) and returns the new one; applied twice, it changes once."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One safe change to one file of the repository."""

    file: str
    change: Change


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place.

    Attributes:
        file: path relative to the repository; ``line`` and ``column`` are 1-based.
        package: the dependency, package or service that it is about.
        app: the image (its service or package) that suffers; empty when it concerns the whole repository.
        apps: all images that suffer.
        fix: what to do, in one sentence or as exact lines; empty when nobody can say.
        edits: the same as changes that ``--fix`` makes.
        relock: whether the lock file has to be renewed after the edits.
        about: other paths that it hangs on: a change there, and not in ``file``, may have brought it about.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    column: int
    message: str
    package: str = ""
    app: str = ""
    apps: frozenset[str] = frozenset()
    fix: str = ""
    edits: tuple[Edit, ...] = field(default=(), compare=False)
    relock: str = ""
    about: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def order(self) -> tuple[Any, ...]:
        return (-self.severity, self.app, self.file, self.line, self.rule, self.package, self.message)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A silence of the contract, and how many findings it covers."""

    rule: str
    path: str
    reason: str
    findings: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: what it is called, why it exists, and how it finds.

    Attributes:
        id: never changes; ``severity`` is the worst that it reports.
        row: the row of the list of replaced systems that it serves; empty when it serves none.
        why: one paragraph.
        fixes: what ``--fix`` does; empty when it does nothing.
        apart: whether it takes long, needs no other rule and changes nothing, so that it may run in a second process.
    """

    id: str
    name: str
    severity: Severity
    row: str
    why: str
    check: Callable[[Facts], Iterable[Finding]]
    fixes: str = ""
    apart: bool = False
