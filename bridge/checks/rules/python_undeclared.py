"""IKB106: a Python module is imported that no declared dependency brings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.usage import is_aside
from bridge.workspace import python

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB106"


def check(facts: Facts) -> Iterable[Finding]:
    for folder in python.projects(facts.tree):
        try:
            seen: set[str] = set()
            for item in python.missing(facts.tree, folder):
                if item.module not in seen:
                    seen.add(item.module)
                    yield _finding(item)
        except IkomaError as error:
            message = f"The Python project in {folder} was not looked at: {error.message('en').splitlines()[0]}"
            yield Finding(ID, Severity.INFO, f"{folder}/pyproject.toml", 1, 1, message, folder)


def _finding(item: python.MissingModule) -> Finding:
    aside = is_aside(item.path) or item.path.rpartition("/")[2].startswith(("test_", "conftest"))
    severity = Severity.INFO if aside else Severity.WARNING if item.near else Severity.ERROR
    message = f"{item.module} is imported here, and no dependency of the project in {item.project} brings it."
    fix = f"Add what brings {item.module} to the dependencies of {item.project}."
    return Finding(ID, severity, item.path, item.line, item.column, message, item.module, item.project,
                   frozenset({item.project}), fix)  # fmt: skip


RULE = Rule(
    ID,
    "undeclared-python-import",
    Severity.ERROR,
    "D1",
    "A Python project of the repository imports a module that neither the standard library, nor the project, nor a "
    "declared dependency brings. deptry finds them without installing anything; imports under try or TYPE_CHECKING "
    "are left out, and a module whose name resembles a declared dependency is a warning only.",
    check,
    apart=True,
)
