"""The check before a build: what would stop it, or what is built, is said before anything is built."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from agent.model import messages
from agent.model.errors import IkomaError

if TYPE_CHECKING:
    from bridge.checks.engine import Report
    from bridge.checks.model import Finding
    from bridge.workspace.project import Project

_ON_THE_HOST: Final = "IKB6"
"""Rules about migrations: the plan and the host judge them by what the database has, not by the files alone."""
_SHOWN: Final = 10


def inspect(project: Project, only: Collection[str], say: Callable[[str], None]) -> None:
    """Check the repository of ``project`` and say how that went.

    Args:
        only: the services that are built; findings that concern others alone are left out. All when empty.

    Raises:
        IkomaError: ``check.errors`` when something would stop the build.
    """
    from bridge.checks import engine

    report = engine.check(project.root)
    errors = _errors(report, only)
    facts = {"errors": len(errors), "warnings": report.counts["warning"], "seconds": round(report.seconds, 1)}
    say(messages.text("check.said", facts))
    for finding in errors[:_SHOWN]:
        say(f"{finding.file}:{finding.line}:{finding.column} {finding.rule} {finding.message}")
    if errors:
        raise IkomaError("check.errors", count=len(errors), first=errors[0].message, repo=project.root)


def _errors(report: Report, only: Collection[str]) -> list[Finding]:
    from bridge.checks import scope
    from bridge.checks.model import Severity

    found = [item for item in report.findings if item.severity is Severity.ERROR]
    found = [item for item in found if not item.rule.startswith(_ON_THE_HOST)]
    if not only:
        return found
    wanted = [scope.select(found, report.facts, scope.Scope(app)) for app in only]
    return [item for item in found if any(item in part for part in wanted)]
