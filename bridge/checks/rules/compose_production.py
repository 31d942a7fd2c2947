"""IKB501: a compose file that builds images on the host that runs them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace import shell
from bridge.workspace.compose import Compose
from bridge.workspace.statements import WORKFLOW

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB501"

_PRODUCTION = re.compile(r"prod|production|deploy|staging|release", re.IGNORECASE)
_SCRIPT = re.compile(r"(?:^|/)[\w.-]*(?:deploy|release|prod)[\w.-]*\.sh$", re.IGNORECASE)
_UP = re.compile(r"docker[ -]compose\b.*(?:--build\b|\bbuild\b)")


def check(facts: Facts) -> Iterable[Finding]:
    ours = facts.contract is not None and not isinstance(facts.contract, IkomaError)
    for compose in facts.composes:
        if ours and compose.path == facts.compose_path:
            yield from _pulled(compose)
        elif _PRODUCTION.search(posixpath.basename(compose.path)):
            yield from _building(compose)
    yield from _scripts(facts)


def _pulled(compose: Compose) -> Iterator[Finding]:
    """The contract's file may have build sections: its images are built by CI and pinned by digest."""
    for service in compose.services:
        if service.data.get("pull_policy") == "build":
            line, column = compose.position("services", service.name, "pull_policy")
            message = f"The service {service.name} is built wherever it is started (pull_policy: build)."
            yield _finding(compose.path, line, column, message, service.name, "Remove pull_policy.")


def _building(compose: Compose) -> Iterator[Finding]:
    for service in compose.services:
        if service.build is not None:
            line, column = compose.position("services", service.name, "build")
            message = f"The service {service.name} of a production compose file is built on the host that runs it."
            fix = "Build it in CI, push it to a registry, and name the image by digest: bridge deploy does all three."
            yield _finding(compose.path, line, column, message, service.name, fix)


def _scripts(facts: Facts) -> Iterator[Finding]:
    for path in facts.tree.files:
        if not path.endswith((".sh", ".yml", ".yaml")):
            continue
        if _SCRIPT.search(path) or (WORKFLOW.search(path) and _PRODUCTION.search(posixpath.basename(path))):
            for number, line in enumerate(facts.tree.text(path).splitlines(), 1):
                remote = "ssh" in line or _SCRIPT.search(path)
                if remote and _UP.search(line) and any(c.program.startswith("docker") for c in shell.commands(line)):
                    message = "This deploys by building on the host: docker compose with --build."
                    yield _finding(path, number, 1, message, "", "Build in CI and pull on the host.")


def _finding(path: str, line: int, column: int, message: str, app: str, fix: str) -> Finding:
    return Finding(ID, Severity.WARNING, path, line, column, message, app, app, frozenset({app} if app else ()), fix)


RULE = Rule(
    ID,
    "built-on-the-host",
    Severity.WARNING,
    "D10",
    "A small server that builds images is slow for its users while it does, may run out of memory or disk, and runs "
    "what nobody tested. Images are built once, in CI, pushed to a registry and pulled by digest.",
    check,
)
