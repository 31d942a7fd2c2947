"""Migrations as a set: are they in order, and how do they compare with what a database says was applied? Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.model.errors import IkomaError
from agent.model.names import MIGRATION_FILE


class File(Protocol):
    """A migration that a release brings (``ReleaseMigration`` is one)."""

    @property
    def file(self) -> str: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration known by its file name and checksum alone."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of a ledger. ``tokens`` hashes what the file says, empty where nobody noted it."""

    version: str
    name: str
    sha256: str
    tokens: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a release's files mean for one database; all in the order of their versions.

    Attributes:
        pending: files to apply.
        applied: names of the rows that a file of the release stands for, unchanged.
        edited: files that were applied with another content.
        reformatted: files that say what was applied, with other comments or white space.
        out_of_order: files never applied although a later one was.
        missing: names that were applied, lie within the release's range, and are in no file.
        ahead: names that were applied after the release's last file: the database is newer.
    """

    pending: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    reformatted: tuple[str, ...] = ()
    out_of_order: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()

    def problems(self) -> list[IkomaError]:
        """Return every reason not to touch the database."""
        kinds = {
            "migration.edited": self.edited,
            "migration.missing": self.missing,
            "migration.ahead": self.ahead,
            "migration.out_of_order": self.out_of_order,
        }
        return [IkomaError(kind, files=", ".join(names)) for kind, names in kinds.items() if names]


def order(version: str) -> tuple[int, str]:
    """Return the sort key of a version: by number, so that ``0010`` follows ``0009`` and dates follow numbers."""
    return int(version), version


def version_of(file: str) -> str:
    """Return the number at the start of a file name."""
    return file.partition("_")[0]


def stem(file: str) -> str:
    """Return the file name without its ending, as reports and ledger show it."""
    return file.removesuffix(".sql")


def set_problems(names: Iterable[str]) -> list[IkomaError]:
    """Return what is wrong with a folder of migrations: names that are none, and numbers that stand twice."""
    found: list[IkomaError] = []
    seen: dict[int, str] = {}
    for name in sorted(names):
        if MIGRATION_FILE.fullmatch(name) is None:
            found.append(IkomaError("migration.bad_name", file=name[:120]))
        elif (first := seen.setdefault(int(version_of(name)), name)) != name:
            found.append(IkomaError("migration.duplicate", version=version_of(name), first=first, second=name))
    return found


def in_order(names: Iterable[str]) -> list[str]:
    """Return file names sorted by version."""
    return sorted(names, key=lambda name: order(version_of(name)))


def compare(files: Sequence[File], rows: Iterable[Applied], tokens: Callable[[File], str] | None = None) -> Comparison:
    """Compare a release's files with a database's ledger.

    Args:
        tokens: returns the hash over what a file says; without it every other byte counts as an edit.
    """
    ledger = {row.version: row for row in rows}
    ours = {version_of(item.file): item for item in sorted(files, key=lambda item: order(version_of(item.file)))}
    last_applied = max(map(order, ledger), default=(-1, ""))
    last_file = max(map(order, ours), default=(-1, ""))
    todo = [version for version in ours if version not in ledger]
    gone = sorted((version for version in ledger if version not in ours), key=order)
    same = {version for version in ours if version in ledger and ours[version].sha256 == ledger[version].sha256}
    other = [version for version in ours if version in ledger and version not in same]
    alike = {version for version in other if tokens and ledger[version].tokens == tokens(ours[version]) != ""}
    return Comparison(
        pending=tuple(ours[version].file for version in todo if order(version) > last_applied),
        applied=tuple(stem(ours[version].file) for version in ours if version in same | alike),
        edited=tuple(ours[version].file for version in other if version not in alike),
        reformatted=tuple(ours[version].file for version in other if version in alike),
        out_of_order=tuple(ours[version].file for version in todo if order(version) < last_applied),
        missing=tuple(ledger[version].name for version in gone if order(version) < last_file),
        ahead=tuple(ledger[version].name for version in gone if order(version) > last_file),
    )
