"""Putting a backup back: beside live, compared, then swapped. Live is kept under another name.

    loss = weigh(source, backup)                              # reads only
    done = restore(source, backup, discard, ctx.note, ctx.progress)
    name = take_back(source, ctx.notes("restore-database"))   # the undo, in any process, as often as one likes

The caller stops the services before and starts them after. ``discard`` is how many written rows one accepts to lose:
a number, or ``"all"``; None accepts none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from agent.database.backup import beside, facts, schemas, store
from agent.database.backup import source as sources
from agent.database.backup.facts import Facts
from agent.database.backup.source import Source
from agent.database.backup.store import Backup
from agent.database.connect import Connection, session
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError, Misuse

Discard = int | Literal["all"] | None
Note = Callable[..., None]
Say = Callable[[str, dict[str, Any]], None]

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Loss:
    """What was written since a backup was made.

    Attributes:
        tables: rows written since, by table; only those with any.
        exact: whether the counters reach back to the backup. If not, ``total`` is the least there can be.
        migrations: what was applied since.
    """

    tables: dict[str, int]
    exact: bool
    migrations: list[str]

    @property
    def total(self) -> int:
        return sum(self.tables.values())

    def to_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return {"total": self.total, "exact": self.exact, "tables": self.tables, "migrations": self.migrations}


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        how: ``rename`` (the whole database) or ``schemas`` (the contract's, inside the database).
        kept: what live is called now: a database, or schemas.
    """

    how: str
    backup: str
    kept: list[str]
    loss: Loss

    def to_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return {"how": self.how, "backup": self.backup, "kept": self.kept, "lost": self.loss.to_json()}


def weigh(source: Source, backup: Backup) -> Loss:
    """Count what was written since a backup to what it would replace. Raises the faults of a connection."""
    only = _replaced(source, sources.mover(source))
    with session(source.strongest, source.session_name) as connection:
        return _weighed(connection, backup, only)


def _replaced(source: Source, moving: Dsn | None) -> tuple[str, ...]:
    """Return the schemas that a restore replaces; none: the whole database."""
    return () if moving else (*source.schemas, schemas.LEDGER)


def _weighed(connection: Connection, backup: Backup, only: tuple[str, ...]) -> Loss:
    connection.execute(facts.BEGIN)
    now = facts.read(connection)
    connection.execute("rollback")
    return within(compare(backup, now), only)


def within(loss: Loss, only: Sequence[str]) -> Loss:
    """Return what of a loss is in these schemas; none: all of it. Pure."""
    heads = tuple(f"{name}." for name in only)
    return replace(loss, tables={name: rows for name, rows in loss.tables.items() if name.startswith(heads or "")})


def compare(then: Backup, now: Facts) -> Loss:
    """Return what was written between two moments. Pure."""
    exact = (then.oid, then.reset) == (now.oid, now.reset)
    tables: dict[str, int] = {}
    for name in {*then.rows, *now.rows, *(now.writes if exact else ())}:
        moved = abs(now.rows.get(name, 0) - then.rows.get(name, 0))
        written = now.writes.get(name, 0) - then.writes.get(name, 0) if exact else 0
        if written < 0:  # a table made anew, or counters lost in a crash
            exact, written = exact and name not in now.rows, 0
        if lost := max(moved, written):
            tables[name] = lost
    since = [name for name in now.migrations if name not in then.migrations]
    return Loss(dict(sorted(tables.items())), exact, since)


def consent(backup: Backup, loss: Loss, discard: Discard) -> None:
    """Refuse to lose more than was agreed to. Raises ``IkomaError`` (``backup.would_lose``, ``.may_lose``). Pure."""
    if discard == "all" or (loss.total <= (discard or 0) and (loss.exact or not loss.total)):
        return
    shown = ", ".join(f"{name}: {count}" for name, count in list(loss.tables.items())[:_SHOWN])
    told: dict[str, Any] = {"name": backup.name, "count": loss.total, "tables": shown or "–", "created": backup.created}
    raise IkomaError("backup.would_lose" if loss.exact else "backup.may_lose", **told)


def parse(value: object) -> Discard:
    """Return what a caller accepts to lose. Raises ``Misuse("backup.discard")``."""
    if value is None or value == "all":
        return "all" if value else None
    if not re.fullmatch("[0-9]{1,18}", str(value)):
        raise Misuse("backup.discard", value=str(value)[:40])
    return int(str(value))


def whole(source: Source, backup: Backup) -> Path:
    """Return the dump of a backup that can be put back. Raises ``IkomaError`` (``backup.partial``, ``.damaged``)."""
    if backup.tables:
        raise IkomaError("backup.partial", name=backup.name, tables=", ".join(backup.tables))
    return store.check(source.folder, backup)


def restore(source: Source, backup: Backup, discard: Discard, note: Note, say: Say) -> Restored:
    """Put a backup back.

    Args:
        note: makes facts durable before the effect they describe; ``take_back`` needs them.
        say: takes the id of a sentence and what it is about.

    Raises:
        IkomaError: ``backup.partial``, ``.damaged``, ``.would_lose``, ``.may_lose``, ``.not_same``, ``.entangled``,
            ``.failed``, ``.disk_full``, ``.busy``; the faults of a connection. What was begun is for ``take_back``.
    """
    path = whole(source, backup)
    moving = sources.mover(source)
    job = beside.Job(source, backup, path, note, say)
    found: list[Loss] = []

    def agree(connection: Connection) -> None:
        found.append(_weighed(connection, backup, _replaced(source, moving)))
        consent(backup, found[-1], discard)

    if moving is None:
        return Restored("schemas", backup.name, schemas.swap(job, agree), found[-1])
    beside.fill(job, moving)
    return Restored("rename", backup.name, [beside.swap(job, moving, agree)], found[-1])


def take_back(source: Source, notes: Mapping[str, Any]) -> str:
    """Undo a restore, or a part of one, from what was noted; return what serves again, "" if there was nothing to do.

    Raises:
        IkomaError: the faults of a connection, ``backup.busy``; to be tried again.
    """
    if notes.get("how") == "rename":
        return beside.take_back(source, str(notes["live"]), str(notes["beside"]), str(notes["old"]))
    if notes.get("how") == "schemas":
        return schemas.take_back(source, dict(notes["renamed"]))
    return ""
