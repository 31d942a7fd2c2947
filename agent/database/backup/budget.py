"""What a restore point, its verification and the proof will take, and whether the contract allows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from agent.database.backup.store import Backup
from agent.model import messages
from agent.model.contract import Backups
from agent.model.errors import IkomaError, Misuse

MB: Final = 1024 * 1024
GB: Final = 1024 * MB
PREFIX: Final = "restore-point:"

_BYTES_A_SECOND: Final = 50 * MB
_SHARE: Final = 0.5
_START_SECONDS: Final = 0.3
_CAUTION: Final = 1.2
_SLOWER: Final = 3.0
_CLUSTER_SECONDS: Final = 1.0
_FILE_SECONDS: Final = 0.004

How = Literal["database", "tables", "snapshot", "skip", "wal"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What kind of restore point is asked for; ``name`` is that of a snapshot made elsewhere."""

    how: How = "database"
    name: str = ""


def choice(accept: Iterable[str]) -> Choice:
    """Return the choice among the words that a caller accepts. Raises ``Misuse("backup.choice")``."""
    found = Choice()
    for word in accept:
        if word.startswith(PREFIX):
            found = _choice(word.removeprefix(PREFIX))
    return found


def _choice(word: str) -> Choice:
    how, _, name = word.partition(":")
    if how == "snapshot" and name.strip() and name.isprintable() and len(name) <= 100:
        return Choice("snapshot", name)
    if word == "tables":
        return Choice("tables")
    if word == "skip":
        return Choice("skip")
    if word == "wal":
        return Choice("wal")
    raise Misuse("backup.choice", choice=word[:60])


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds and bytes of each; ``size`` is the database's own."""

    size: int
    dump_seconds: float
    dump_bytes: int
    verify_seconds: float
    verify_bytes: int
    proof_seconds: float

    def said(self, policy: Backups) -> dict[str, Any]:
        """Return the parameters of the sentence that a plan shows."""
        return {
            "dump_seconds": round(self.dump_seconds, 1), "dump_mb": -(-self.dump_bytes // MB), "policy": policy.verify,
            "verify_seconds": round(self.verify_seconds, 1), "verify_mb": -(-self.verify_bytes // MB),
            "proof_seconds": round(self.proof_seconds, 1), "minutes": policy.max_minutes, "gb": policy.max_gb,
        }  # fmt: skip


def estimate(size: int, last: Backup | None, files: int) -> Estimate:
    """Estimate from the size of the database and how the last backup of it went.

    Args:
        files: how many migrations a proof applies.
    """
    seconds, share = _START_SECONDS + size / _BYTES_A_SECOND, _SHARE
    if last is not None and last.size and not last.tables:
        seconds = max(_START_SECONDS, last.seconds * size / last.size) * _CAUTION
        share = last.bytes / last.size * _CAUTION
    proof = _CLUSTER_SECONDS + files * _FILE_SECONDS
    return Estimate(size, seconds, int(size * share), seconds * _SLOWER + _CLUSTER_SECONDS, int(size * _CAUTION), proof)


def problems(found: Estimate, policy: Backups, free: int, folder: Path, lang: str) -> list[IkomaError]:
    """Return why a restore point, its verification or the proof would cost more than it may.

    Args:
        free: bytes that are free in ``folder``.
    """
    said: dict[str, Any] = {"size": -(-found.size // MB), "folder": folder, "free": free // MB}
    dump = list(_over("dump", found.dump_seconds, found.dump_bytes, policy, said, lang))
    if found.dump_bytes > free:
        needed = -(-found.dump_bytes // MB)
        dump.append(IkomaError("backup.no_space", what=_what("dump", lang), needed=needed, **said))
    dump += _over("proof", found.proof_seconds, 0, policy, said, lang)  # it builds without rows: time, hardly space
    if policy.verify != "every":
        return dump
    return dump + list(_over("verify", found.verify_seconds, found.verify_bytes, policy, said, lang))


def _over(
    what: str, seconds: float, size: int, policy: Backups, said: dict[str, Any], lang: str
) -> Iterator[IkomaError]:
    told = said | {"what": _what(what, lang)}
    if seconds > policy.max_minutes * 60:
        minutes = round(seconds / 60, 1)
        yield IkomaError("backup.over_minutes", minutes=minutes, allowed=policy.max_minutes, **told)
    if size > policy.max_gb * GB:
        yield IkomaError("backup.over_gb", gb=round(size / GB, 2), allowed=policy.max_gb, **told)


def _what(word: str, lang: str) -> str:
    return messages.text(f"backup.what.{word}", {}, lang)
