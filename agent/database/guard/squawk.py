"""What squawk has to add: it knows locks and rollbacks that our own rules have no word for. It may be absent."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from agent.database.guard.judge import Span
from agent.database.statements import rows_of
from agent.host import process
from agent.model.errors import IkomaError
from agent.model.guardrails import Finding

_SECONDS: Final = 60.0
_MORE: Final = (
    "ban-add-composite-attribute", "ban-alter-database-options", "ban-alter-extension", "ban-alter-function-options",
    "ban-alter-generated-expression", "ban-alter-role-options", "ban-alter-sequence-values", "ban-alter-view-options",
    "ban-detach-inheritance", "ban-disable-trigger", "ban-new-write-restriction", "ban-replica-identity",
)  # fmt: skip
"""Rules about rollbacks that squawk leaves out unless they are named."""
_OURS: Final = (
    "adding-field-with-default", "ban-concurrent-index-creation-in-transaction", "ban-char-field",
    "ban-uncommitted-transaction", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity",
    "prefer-repack", "prefer-robust-stmts", "prefer-text-field", "prefer-timestamp-tz",
    "require-concurrent-index-creation", "require-concurrent-index-deletion", "require-enum-value-ordering",
    "require-lock-timeout", "require-statement-timeout", "transaction-nesting", "ban-truncate-cascade",
)  # fmt: skip
"""Matters of style, what our own rules say with the size of the table, and what applying does by itself."""


def program() -> Path | None:
    """Return squawk beside this Python, or on the path; None where it is not installed."""
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.exists() else shutil.which("squawk")
    return Path(found) if found else None


def findings(files: Iterable[tuple[str, str]], spans: Sequence[Span], major: int | None = None) -> list[Finding]:
    """Return warnings about statements that nobody has said anything about yet; none where squawk is absent.

    Raises:
        IkomaError: ``guard.squawk_failed`` when it is there and does not answer.
    """
    found = program()
    if found is None:
        return []
    with tempfile.TemporaryDirectory(prefix="ikoma-squawk-") as folder:
        names: dict[str, str] = {}
        for number, (name, text) in enumerate(files):
            path = Path(folder) / f"{number}.sql"
            path.write_text(rows_of(text)[0], encoding="utf-8")
            names[str(path)] = name
        told = _run(found, list(names), major) if names else []
    placed = [(names[item["file"]], item) for item in told if item.get("file") in names]
    return [_finding(file, item) for file, item in placed if _open(file, int(item["line"]) + 1, spans)]


def _run(found: Path, files: list[str], major: int | None) -> list[dict[str, Any]]:
    version = [f"--pg-version={major}.0"] if major else []
    rules = [f"--exclude={','.join(_OURS)}", f"--include={','.join(_MORE)}"]
    argv = [str(found), "--reporter=json", "--assume-in-transaction", *version, *rules, *files]
    done = process.run(argv, check=False, timeout=_SECONDS)
    try:
        told: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    except ValueError:
        raise IkomaError("guard.squawk_failed", reason=done.last_lines(2)) from None
    if not done.stdout and not done.ok:
        raise IkomaError("guard.squawk_failed", reason=done.last_lines(2))
    return told


def _open(file: str, line: int, spans: Sequence[Span]) -> bool:
    return any(span.file == file and span.first <= line <= span.last and not span.settled for span in spans)


def _finding(file: str, item: dict[str, Any]) -> Finding:
    said = " ".join(part for part in (item.get("message"), item.get("help")) if part)
    return Finding("squawk", file, int(item["line"]) + 1, "", str(item["rule_name"]), note=said)
