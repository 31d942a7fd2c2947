"""Can an earlier release live with the database as it is now? Compared by what was applied, decided without effects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from agent.model.errors import IkomaError


@dataclass(frozen=True, slots=True)
class Standing:
    """A database, seen from a release.

    Attributes:
        ahead: migrations that the database has and the release does not know, in their order.
        breaking: those of them that the release may not live with.
        lacking: migrations that the release needs and the database does not have.
    """

    ahead: tuple[str, ...] = ()
    breaking: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


def standing(wanted: Collection[str], applied: Sequence[str], breaking: Collection[str] | None) -> Standing:
    """Compare a release's migrations with those that were applied. Pure.

    Args:
        wanted: names of the release's migrations.
        applied: names of what was applied, in order.
        breaking: what a release without it may not live with, as the deployments recorded it; None: nobody recorded
            it, and everything counts.
    """
    ahead = tuple(name for name in applied if name not in wanted)
    return Standing(
        ahead,
        tuple(name for name in ahead if breaking is None or name in breaking),
        tuple(name for name in wanted if name not in applied),
    )


def refusal(release: str, found: Standing) -> IkomaError | None:
    """Return why a release cannot be gone back to as the database is, or None. Pure."""
    if found.lacking:
        return IkomaError("rollback.lacking", release=release, names=", ".join(found.lacking))
    if found.breaking:
        return IkomaError("rollback.schema", release=release, names=", ".join(found.breaking))
    return None


def restore_point(wanted: Collection[str], records: Sequence[dict[str, Any]]) -> str | None:
    """Return the restore point that was taken before the first migration that a release does not know. Pure.

    Args:
        records: the records of the releases on this host, the latest first.
    """
    for record in reversed(records):
        if usable(record.get("restore_point")) and not set(record.get("migrations") or ()) <= set(wanted):
            return str(record["restore_point"])
    return None


def usable(name: object) -> bool:
    """Say whether a record names a backup of ours (``skip``, ``snapshot:…``, ``wal:…``: others put it back). Pure."""
    return bool(name) and name != "skipped" and not str(name).startswith(("snapshot:", "wal:"))
