"""Migrations that came by ``db.migrate sql=…``: kept beside the target until a release contains them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.host.files import write_atomic
from agent.host.paths import TargetPaths
from agent.model.errors import IkomaError, Misuse
from agent.model.migrations import order, stem, version_of
from agent.model.names import MIGRATION_FILE, Target

_UNKNOWN: Final = {"migration.missing", "migration.ahead"}
_DATED: Final = 14  # digits of a version that is a time
_DIGITS: Final = 4


def folder(home: TargetPaths) -> Path:
    """Return where they are kept."""
    return home.base / "migrations"


def kept(home: TargetPaths) -> dict[str, bytes]:
    """Return what is kept: content by file name."""
    return {path.name: path.read_bytes() for path in sorted(folder(home).glob("*.sql"))}


def keep(home: TargetPaths, file: str, content: bytes) -> None:
    """Keep a file."""
    folder(home).mkdir(mode=0o700, exist_ok=True)
    write_atomic(folder(home) / file, content, 0o600)


def forget(home: TargetPaths, files: Iterable[str]) -> None:
    """Drop files that a release contains by now, or that were never applied."""
    for file in files:
        (folder(home) / file).unlink(missing_ok=True)


def name(asked: str, known: Iterable[str], now: datetime | None = None) -> str:
    """Return the file name for a new migration: as it was asked for, else with the next number or the time. Pure.

    Args:
        asked: ``0014_name.sql``, ``name`` or nothing.
        known: names of all files and rows there are.

    Raises:
        Misuse: ``migration.bad_name``.
    """
    wanted = f"{stem(asked or 'by_hand')}.sql"
    if not MIGRATION_FILE.fullmatch(wanted):
        versions = [version_of(item) for item in known]
        last = max(versions, key=order, default="0" * _DIGITS)
        time = (now or datetime.now(UTC)).strftime("%Y%m%d%H%M%S")
        number = time if len(last) == _DATED else str(int(last) + 1).zfill(len(last))
        wanted = f"{number}_{wanted}"
    if not MIGRATION_FILE.fullmatch(wanted):
        raise Misuse("migration.bad_name", file=wanted[:120])
    return wanted


def explained(problems: Iterable[IkomaError], home: TargetPaths, target: Target) -> list[IkomaError]:
    """Return the problems; where a release merely lacks what came by hand, with the command that fetches it."""
    ours = {stem(file) for file in kept(home)}
    found = []
    for problem in problems:
        names = str(problem.params.get("files", "")).split(", ")
        if problem.id in _UNKNOWN and ours.issuperset(names):
            problem = IkomaError("migration.by_hand", files=", ".join(names), first=names[0], app=target.app,
                                 environment=target.environment)  # fmt: skip
        found.append(problem)
    return found
