"""IKB601: a migration that cannot be applied."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from agent.model.migrations import set_problems
from bridge.checks import migrations
from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB601"


def check(facts: Facts) -> Iterable[Finding]:
    found = migrations.folder(facts)
    if found is None:
        return
    for problem in set_problems(found.names):
        name = str(problem.params.get("second") or problem.params.get("file"))
        yield replace(_finding(found.file(name), problem), about=frozenset({posixpath.dirname(found.file(name))}))
    for name in found.names:
        yield from _unreadable(facts, found.file(name), name)


def _unreadable(facts: Facts, path: str, name: str) -> Iterator[Finding]:
    from agent.database import statements

    try:
        statements.split(statements.decode((facts.root / path).read_bytes(), name), name)
    except IkomaError as problem:
        yield _finding(path, problem)


def _finding(path: str, problem: IkomaError) -> Finding:
    line = int(problem.params.get("line", 1) or 1)
    return Finding(ID, Severity.ERROR, path, line, 1, problem.message("en"), problem.id, fix=problem.remedy("en"))


RULE = Rule(
    ID,
    "migration-cannot-run",
    Severity.ERROR,
    "C9",
    "A file of the migrations folder has no name in their order (0001_what.sql, 20260102030405_what.sql), two have the "
    "same number, or what stands in one is not SQL that PostgreSQL's own grammar accepts: a command of psql, a "
    "BEGIN or COMMIT that would let half of the file stand. The host would refuse the whole deployment.",
    check,
)
