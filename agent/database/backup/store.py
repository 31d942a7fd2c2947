"""The backups of one target: ``<name>.dump``, ``.dump.sha256``, ``.schema`` and, last of all, ``<name>.json``.

What has no ``.json`` is what a killed process left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from agent.database.backup import names
from agent.host.files import read_json, sync_folder, write_json
from agent.model.errors import IkomaError, Misuse

Kind = Literal["restore-point", "manual", "fetched"]

MODE: Final = 0o600
RESTORE_POINT: Final = "restore-point"
_ENDINGS: Final = (".json", ".dump.sha256", ".schema", ".dump")


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup, as its ``.json`` tells it.

    Attributes:
        release: the release that served when it was made; what a rollback to it may restore.
        before: the release whose migrations followed.
        tables: the tables it holds; empty: the whole database.
        size, bytes: of the database on its server, and of the file.
        verified: when, and whether, it was restored somewhere else and found equal; None: never tried.
    """

    name: str
    kind: str
    created: str
    database: str
    major: int
    size: int
    bytes: int
    sha256: str
    seconds: float
    oid: int = 0
    lsn: str = ""
    reset: str = ""
    release: str = ""
    before: str = ""
    operation: str = ""
    tables: list[str] = field(default_factory=list)
    migrations: list[str] = field(default_factory=list)
    fingerprint: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    verified: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what a list of backups shows."""
        hidden = ("rows", "writes", "oid", "reset")
        return {key: value for key, value in asdict(self).items() if key not in hidden}


def dump(folder: Path, name: str) -> Path:
    """Return where the dump of a backup lies."""
    return folder / f"{names.check(name)}.dump"


def schema(folder: Path, name: str) -> Path:
    """Return where the fingerprint of a backup lies."""
    return folder / f"{names.check(name)}.schema"


def exists(folder: Path, name: str) -> bool:
    return (folder / f"{names.check(name)}.json").exists()


def keep(folder: Path, backup: Backup) -> None:
    """Write the ``.json`` of a backup: from now on it exists."""
    write_json(folder / f"{names.check(backup.name)}.json", asdict(backup), MODE)


def find(folder: Path, name: str) -> Backup:
    """Return a backup. Raises ``Misuse`` (``backup.name``, ``backup.unknown``)."""
    data = read_json(folder / f"{names.check(name)}.json")
    if data is None:
        raise Misuse("backup.unknown", name=name)
    return _backup(data)


def all_of(folder: Path) -> list[Backup]:
    """Return all backups, the latest first."""
    found = [_backup(read_json(file)) for file in folder.glob("*.json")] if folder.is_dir() else []
    return sorted(found, key=lambda item: (item.created, item.name), reverse=True)


def _backup(data: dict[str, Any]) -> Backup:
    known = {item.name for item in fields(Backup)}
    return Backup(**{key: value for key, value in data.items() if key in known})


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check(folder: Path, backup: Backup) -> Path:
    """Return the dump of a backup if it is what was written. Raises ``IkomaError("backup.damaged")``."""
    path = dump(folder, backup.name)
    if not path.is_file() or path.stat().st_size != backup.bytes or sha256(path) != backup.sha256:
        raise IkomaError("backup.damaged", name=backup.name, file=path)
    return path


def sweep(folder: Path) -> list[str]:
    """Remove what killed processes left; return the names of the files. The target's lock must be held."""
    whole = {file.name.removesuffix(".json") for file in folder.glob("*.json")}
    gone = []
    for file in _parts(folder):
        if file.name.startswith(".") or _stem(file) not in whole:
            file.unlink(missing_ok=True)
            gone.append(file.name)
    return gone


def _parts(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from [file for file in folder.iterdir() if file.is_file() and file.suffix != ".json"]


def _stem(file: Path) -> str:
    for ending in _ENDINGS:
        if file.name.endswith(ending):
            return file.name.removesuffix(ending)
    return file.name


def remove(folder: Path, name: str) -> None:
    """Remove a backup; what says that it exists goes first."""
    for ending in _ENDINGS:
        (folder / f"{names.check(name)}{ending}").unlink(missing_ok=True)
    sync_folder(folder)


def superfluous(found: list[Backup], keep: int, needed: Collection[str]) -> list[str]:
    """Return the restore points beyond the latest ``keep``, never one that is needed. Pure.

    What somebody made or fetched by name is his to remove.
    """
    ours = [item.name for item in found if item.kind == RESTORE_POINT]
    return [name for name in ours[keep:] if name not in needed]
