"""What is shown and not shipped: examples, templates and test data stop nobody's build unless something builds them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.checks.model import Finding, Severity
from bridge.checks.shown import shown
from bridge.workspace.monorepo import DATA

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

_KEPT: Final = frozenset({"IKB901", "IKB208", "IKB209", "IKB205"})
"""What is bad wherever it stands: the contract, secrets in git, files that travel into every build context."""


def softened(finding: Finding, facts: Facts) -> Finding:
    """Return an error about an example as a warning, and one about test data as information."""
    if finding.severity is not Severity.ERROR or finding.rule in _KEPT:
        return finding
    if DATA.search(finding.file):
        return replace(finding, severity=Severity.INFO)
    folder = shown(finding.file)
    if not folder or _is_shipped(facts, folder):
        return finding
    return replace(finding, severity=Severity.WARNING)


def _is_shipped(facts: Facts, folder: str) -> bool:
    """Whether the deployed compose file, or a script or workflow outside of ``folder``, builds something in it."""
    for build in facts.builds:
        if not build.path.startswith(folder):
            continue
        if build.service is not None and build.service.file == facts.compose_path:
            return True
        if build.statement is not None and not build.statement.file.startswith(folder):
            return True
    return False
