"""The journal: what was asked, what happened, what an undo needs. Durable before it is shown.

SQLite in WAL mode with ``synchronous=FULL``: a commit costs one to two milliseconds and survives a kill -9 and a
power cut. Several workers write at once; each waits for the others (``busy_timeout``).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from agent.host import ballast
from agent.host.clock import now
from agent.host.flock import Flock
from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.protocol import Event, EventKind

_BUSY_MS: Final = 30_000
_IOERR, _FULL, _CANTOPEN = 10, 13, 14
_DROPPED_WHEN_FULL: Final = frozenset({"progress", "log"})

_ENDED: Final = frozenset({"done", "skipped", "failed"})
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS operations (
  id TEXT PRIMARY KEY, capability TEXT NOT NULL, app TEXT NOT NULL, environment TEXT NOT NULL, slug TEXT NOT NULL,
  key TEXT NOT NULL, role TEXT NOT NULL, lang TEXT NOT NULL, on_busy TEXT NOT NULL, client TEXT NOT NULL,
  args TEXT NOT NULL, body_hash TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL,
  started TEXT, ended TEXT, previous TEXT, result TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS operations_by_target ON operations (slug, id);
CREATE INDEX IF NOT EXISTS operations_unfinished ON operations (status) WHERE status IN ('PENDING', 'RUNNING');
CREATE TABLE IF NOT EXISTS events (
  op TEXT NOT NULL, seq INTEGER NOT NULL, ts TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (op, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS steps (
  op TEXT NOT NULL, step TEXT NOT NULL, position INTEGER NOT NULL, status TEXT NOT NULL,
  seconds REAL NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '', facts TEXT NOT NULL DEFAULT '{}',
  result TEXT NOT NULL DEFAULT '{}', PRIMARY KEY (op, step)
) WITHOUT ROWID;
"""

_COLUMNS: Final = (
    "SELECT id, capability, app, environment, key, role, lang, on_busy, client, args, body_hash, status, created,"
    " started, ended, previous, result FROM operations"
)

_OLD: Final = """
SELECT id FROM (
  SELECT id, ended, ROW_NUMBER() OVER (PARTITION BY slug ORDER BY created DESC, id DESC) AS place FROM operations
) WHERE ended IS NOT NULL AND ended < ? AND place > ?
"""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the journal knows it. ``args`` hold no secret: those never come here."""

    id: str
    capability: str
    target: Target
    key: str
    role: str
    lang: str = "en"
    on_busy: Literal["wait", "refuse"] = "wait"
    client: dict[str, str] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)
    body_hash: str = ""
    status: str = "PENDING"
    created: str = ""
    started: str | None = None
    ended: str | None = None
    previous: str | None = None
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """What is known of a step: its last status, the facts noted for its undo, what it adds to the result."""

    name: str
    status: str
    seconds: float
    detail: str
    facts: dict[str, Any]
    result: dict[str, Any]


class Journal:
    """A connection to the journal. Close it before a fork.

    Raises:
        IkomaError: ``operation.journal`` when it can neither be read nor written.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._db = self._with_space(self._open)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- operations

    def create(self, operation: Operation, accepted: dict[str, Any]) -> bool:
        """Commit a new operation and its first event; return False when the id is already known."""
        return self._with_space(lambda: self._create(operation, accepted))

    def create_finished(self, operation: Operation, accepted: dict[str, Any], result: dict[str, Any]) -> bool:
        """Commit an operation that had nothing to do: accepted and ended in one transaction."""

        def write() -> bool:
            with self._transaction():
                if not self._insert(operation):
                    return False
                self._append(operation.id, "accepted", accepted)
                self._end(operation.id, str(result["status"]), result)
            return True

        created = self._with_space(write)
        self._tick()
        return created

    def begin(self, operation: str, previous: str | None) -> None:
        """Commit that the operation runs: it holds its target's lock."""

        def write() -> None:
            with self._transaction():
                values = (now(), previous, operation)
                self._db.execute("UPDATE operations SET status='RUNNING', started=?, previous=? WHERE id=?", values)
                self._append(operation, "started", {"previous": previous})

        self._with_space(write)
        self._tick()

    def finish(
        self, operation: str, status: str, result: dict[str, Any], before: Callable[[], None] = lambda: None
    ) -> None:
        """Commit the terminal event. ``before`` runs just before the commit: it frees the target's lock.

        Whoever sees the end can then start the next operation at once.
        """

        def write() -> None:
            with self._transaction():
                self._end(operation, status, result)
                before()

        self._with_space(write)
        self._tick()

    def find(self, operation: str) -> Operation | None:
        """Return the operation, or None."""
        rows = self._select("id = ?", operation)
        return rows[0] if rows else None

    def unfinished(self, slug: str | None = None) -> list[Operation]:
        """Return the operations that have not ended, oldest first."""
        found = self._select("status IN ('PENDING', 'RUNNING') ORDER BY created, id")
        return [operation for operation in found if slug is None or operation.target.slug == slug]

    def latest(self, slug: str, limit: int = 20) -> list[Operation]:
        """Return the target's latest operations, newest first."""
        return self._select("slug = ? ORDER BY created DESC, id DESC LIMIT ?", slug, limit)

    def ended_after(self, stamp: str, limit: int = 50) -> list[Operation]:
        """Return the operations that ended after a time, in that order."""
        return self._select("ended > ? ORDER BY ended, id LIMIT ?", stamp, limit)

    # --- events and steps

    def append(self, operation: str, kind: EventKind, data: dict[str, Any]) -> None:
        """Commit one event. On a full disk mere progress is dropped, never what matters."""
        try:
            self._with_space(lambda: self._write_event(operation, kind, data), give_up=kind not in _DROPPED_WHEN_FULL)
        except IkomaError:
            if kind not in _DROPPED_WHEN_FULL:
                raise
        self._tick()

    def step(
        self, operation: str, data: dict[str, Any], result: dict[str, Any] | None = None, position: int = 0
    ) -> None:
        """Commit a ``step`` event together with the step's row."""

        def write() -> None:
            with self._transaction():
                self._step_row(operation, data, result, position)
                self._append(operation, "step", data)

        self._with_space(write)
        self._tick()

    def note(self, operation: str, step: str, facts: dict[str, Any]) -> None:
        """Commit facts about a step, merged into those noted earlier."""

        def write() -> None:
            with self._transaction():
                merged = self._facts(operation, step) | facts
                self._db.execute(
                    "INSERT INTO steps (op, step, position, status, facts) VALUES (?, ?, 0, 'noted', ?)"
                    " ON CONFLICT (op, step) DO UPDATE SET facts = excluded.facts",
                    (operation, step, json.dumps(merged)),
                )

        self._with_space(write)

    def notes(self, operation: str, step: str) -> dict[str, Any]:
        """Return the facts noted for a step."""
        return self._with_space(lambda: self._facts(operation, step))

    def steps(self, operation: str) -> list[StepRow]:
        """Return the steps that were begun, in their order."""
        rows = self._rows(
            "SELECT step, status, seconds, detail, facts, result FROM steps"
            " WHERE op = ? AND status <> 'noted' ORDER BY position, step",
            (operation,),
        )
        return [StepRow(r[0], r[1], r[2], r[3], json.loads(r[4]), json.loads(r[5])) for r in rows]

    def events(self, operation: str, after: int = 0, limit: int = 500) -> list[Event]:
        """Return the events behind ``after``, in order."""
        rows = self._rows(
            "SELECT op, seq, ts, kind, data FROM events WHERE op = ? AND seq > ? ORDER BY seq LIMIT ?",
            (operation, after, limit),
        )
        return [Event(r[0], r[1], r[2], r[3], json.loads(r[4])) for r in rows]

    def warnings(self, operation: str) -> list[dict[str, Any]]:
        """Return the data of all warning events."""
        rows = self._rows("SELECT data FROM events WHERE op = ? AND kind = 'warning' ORDER BY seq", (operation,))
        return [json.loads(row[0]) for row in rows]

    def forget(self, before: str, keep: int) -> int:
        """Take away operations that ended before a time, but the latest ``keep`` of each target; return how many."""

        def write() -> int:
            with self._transaction():
                old = [row[0] for row in self._db.execute(_OLD, (before, keep))]
                for operation in old:
                    for table, column in (("events", "op"), ("steps", "op"), ("operations", "id")):
                        self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (operation,))  # noqa: S608
            return len(old)

        return self._with_space(write, give_up=False)

    # --- inside

    def _open(self) -> sqlite3.Connection:
        db = self._connect()
        if db.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
            with Flock(self._paths.locks / "journal.lock"):
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(_SCHEMA)
                db.execute(f"PRAGMA user_version = {_VERSION}")
        return db

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._paths.journal, timeout=_BUSY_MS / 1000, isolation_level=None)
        db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        db.execute("PRAGMA synchronous = FULL")
        return db

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _with_space(self, work: Callable[[], _T], give_up: bool = True) -> _T:
        """Run ``work``; when the disk is full, give the ballast up and run it once more."""
        try:
            return work()
        except sqlite3.DatabaseError as error:
            full = getattr(error, "sqlite_errorcode", 0) & 0xFF in (_IOERR, _FULL, _CANTOPEN)
            if not (full and give_up and ballast.free(self._paths)):
                raise self._fault(error) from error
        try:
            return work()
        except sqlite3.DatabaseError as error:
            raise self._fault(error) from error

    def _fault(self, error: sqlite3.DatabaseError) -> IkomaError:
        return IkomaError("operation.journal", file=self._paths.journal, reason=str(error))

    def _create(self, operation: Operation, accepted: dict[str, Any]) -> bool:
        with self._transaction():
            if not self._insert(operation):
                return False
            self._append(operation.id, "accepted", accepted)
        return True

    def _insert(self, op: Operation) -> bool:
        values = (
            op.id, op.capability, op.target.app, op.target.environment, op.target.slug, op.key, op.role, op.lang,
            op.on_busy, json.dumps(op.client), json.dumps(op.args), op.body_hash, "PENDING", now(), op.previous,
        )  # fmt: skip
        done = self._db.execute(
            "INSERT OR IGNORE INTO operations (id, capability, app, environment, slug, key, role, lang, on_busy,"
            " client, args, body_hash, status, created, previous) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            values,
        )
        return done.rowcount == 1

    def _write_event(self, operation: str, kind: str, data: dict[str, Any]) -> None:
        with self._transaction():
            self._append(operation, kind, data)

    def _append(self, operation: str, kind: str, data: dict[str, Any]) -> None:
        self._db.execute(
            "INSERT INTO events (op, seq, ts, kind, data)"
            " SELECT ?, COALESCE(MAX(seq), 0) + 1, ?, ?, ? FROM events WHERE op = ?",
            (operation, now(), kind, json.dumps(data), operation),
        )

    def _step_row(self, operation: str, data: dict[str, Any], result: dict[str, Any] | None, position: int) -> None:
        self._db.execute(
            "INSERT INTO steps (op, step, position, status) VALUES (?, ?, ?, ?) ON CONFLICT (op, step)"
            " DO UPDATE SET status = excluded.status, position = MAX(position, excluded.position)",
            (operation, data["step"], position, data["status"]),
        )
        if data["status"] in _ENDED:
            self._db.execute(
                "UPDATE steps SET seconds = ?, detail = ?, result = ? WHERE op = ? AND step = ?",
                (data.get("seconds", 0), data.get("detail", ""), json.dumps(result or {}), operation, data["step"]),
            )

    def _end(self, operation: str, status: str, result: dict[str, Any]) -> None:
        done = self._db.execute(
            "UPDATE operations SET status = ?, ended = ?, result = ? WHERE id = ? AND status IN ('PENDING', 'RUNNING')",
            (status, now(), json.dumps(result), operation),
        )
        if done.rowcount == 1:  # an operation ends once, whoever thinks it must end it
            self._append(operation, "end", {"status": status, "result": result})

    def _facts(self, operation: str, step: str) -> dict[str, Any]:
        row = self._db.execute("SELECT facts FROM steps WHERE op = ? AND step = ?", (operation, step)).fetchone()
        facts: dict[str, Any] = json.loads(row[0]) if row else {}
        return facts

    def _rows(self, query: str, values: tuple[object, ...]) -> list[Any]:
        return self._with_space(lambda: self._db.execute(query, values).fetchall())

    def _select(self, condition: str, *values: object) -> list[Operation]:
        rows = self._rows(f"{_COLUMNS} WHERE {condition}", values)
        return [_operation(row) for row in rows]

    def _tick(self) -> None:
        """Wake the followers."""
        try:
            os.utime(self._paths.tick)
        except FileNotFoundError:
            self._paths.tick.touch()


def _operation(row: Any) -> Operation:
    (op, capability, app, environment, key, role, lang, on_busy, client, args, body_hash, *rest) = row
    status, created, started, ended, previous, result = rest
    return Operation(
        op, capability, Target(app, environment), key, role, lang, on_busy, json.loads(client), json.loads(args),
        body_hash, status, created, started, ended, previous, json.loads(result) if result else None,
    )  # fmt: skip
