"""IKB602: a new migration that loses data, breaks the release that runs, or locks what it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from agent.model.guardrails import Finding as Guarded
from agent.model.guardrails import Known, maintained
from bridge.checks import migrations
from bridge.checks.migrations import Folder
from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB602"


def check(facts: Facts) -> Iterable[Finding]:
    found = migrations.folder(facts)
    if found is None:
        return
    new = migrations.pending(facts, found)
    if not new.since:
        yield from _all_told(facts, found)
    elif new.names:
        running = len(new.names) < len(found.names)
        yield from _judged(facts, found, new.names, migrations.known(facts, found, running=running))


def _judged(facts: Facts, found: Folder, names: Iterable[str], known: Known) -> Iterator[Finding]:
    from agent.database.guard import judge, squawk

    try:
        texts = _texts(facts, found, names)
        told, spans = judge.examined(texts, known)
    except IkomaError:
        return  # IKB601 tells it
    closed = maintained(told) if getattr(facts.contract, "maintenance", False) else []
    for item in [*told, *squawk.findings(texts, spans)]:
        allowed = Severity.INFO if item.reason else Severity.WARNING
        yield _finding(found, item, Severity.ERROR if item.stops and item not in closed else allowed)


def _all_told(facts: Facts, found: Folder) -> Iterator[Finding]:
    """Nobody knows what is deployed: each file is judged as if it came next, and told as information."""
    from agent.database.guard import judge

    known = migrations.known(facts, found, running=True)
    for name in found.names:
        try:
            told = judge.judge(_texts(facts, found, [name]), known)
        except IkomaError:
            continue
        yield from (_finding(found, item, Severity.INFO) for item in told if item.stops)


def _texts(facts: Facts, found: Folder, names: Iterable[str]) -> list[tuple[str, str]]:
    from agent.database.statements import decode

    return [(name, decode((facts.root / found.file(name)).read_bytes(), name)) for name in names]


def _finding(found: Folder, item: Guarded, severity: Severity) -> Finding:
    error = item.error()
    said = f"{error.message('en').partition(': ')[2]}" + (f" Allowed: {item.reason}" if item.reason else "")
    return Finding(ID, severity, found.file(item.file), item.line, 1, said, item.rule, fix=error.remedy("en"))


RULE = Rule(
    ID,
    "migration-guard-rail",
    Severity.ERROR,
    "C9",
    "A migration runs while the release before it still serves, and a rollback returns to that release. What removes "
    "data, what that release cannot live with, what touches a platform's schemas or opens tables to strangers stops "
    "a deployment; what locks a table only warns, for its size is known on the host alone. Judged are the files that "
    "are new since --changed-since, or since the last tag; without either nothing says what is deployed, and all are "
    "told as information. A comment above the statement allows it: -- ikoma-allow RULE: REASON.",
    check,
)
