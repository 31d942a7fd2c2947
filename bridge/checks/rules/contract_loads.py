"""IKB901: the contract does not load, or names what does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from bridge.checks.facts import CONTRACT
from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB901"


def check(facts: Facts) -> Iterable[Finding]:
    contract = facts.contract
    if contract is None:
        return
    if isinstance(contract, IkomaError):
        line = int(contract.params.get("line", 1) or 1)
        fix = contract.remedy("en")
        yield Finding(ID, Severity.ERROR, CONTRACT, line, 1, contract.message("en"), fix=fix)
        return
    if contract.compose not in facts.tree:
        yield _finding(facts, "compose", f"The compose file {contract.compose} does not exist.", contract.compose)
        return
    known = {service.name for item in facts.composes if item.path == contract.compose for service in item.services}
    named = set(contract.services) | {target.rpartition(":")[0] for target in contract.routes.values()}
    for name in sorted(named - known) if known else ():
        near = difflib.get_close_matches(name, sorted(known), 1, 0.5)
        fix = f"Write {near[0]}." if near else f"Services are: {', '.join(sorted(known))}."
        yield _finding(
            facts, name, f"The contract names the service {name}, which {contract.compose} does not have.", fix
        )
    if contract.migrations is not False and "migrations" in contract.model_fields_set:
        folder = contract.migrations.folder.strip("/")
        if not facts.tree.exists(folder):
            yield _finding(facts, "migrations", f"The migrations folder {folder} does not exist.", "")


def _finding(facts: Facts, word: str, message: str, fix: str) -> Finding:
    line, column = facts.line_of(CONTRACT, word)
    return Finding(ID, Severity.ERROR, CONTRACT, line, column, message, word, fix=fix)


RULE = Rule(
    ID,
    "contract-does-not-load",
    Severity.ERROR,
    "A5",
    "ikoma.release.json says what is deployed and how. When it does not load, or names a compose file, a service or "
    "a folder that does not exist, nothing can be deployed: better known now.",
    check,
)
