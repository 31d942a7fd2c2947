"""What the database itself remembers of its fingerprints: before the first migration, and after the latest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from agent.database import ledger
from agent.database.connect import Connection
from agent.database.fingerprint.model import Fingerprint, unpack
from agent.model.migrations import Applied

Kind = Literal["baseline", "schema"]

_CREATE: Final = """
    create table if not exists ikoma.fingerprints (
        kind text primary key,
        digest text not null,
        history text not null,
        release text not null default '',
        operation text not null default '',
        taken_at timestamptz not null default clock_timestamp(),
        content bytea not null
    )
"""
_KEEP: Final = """
    insert into ikoma.fingerprints (kind, digest, history, release, operation, content)
    values (%s, %s, %s, %s, %s, %s) on conflict (kind) do update set digest = excluded.digest,
    history = excluded.history, release = excluded.release, operation = excluded.operation,
    content = excluded.content, taken_at = clock_timestamp()
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A fingerprint's digest, and the history (``history``) it belongs to."""

    digest: str
    history: str


def history(rows: Iterable[Applied]) -> str:
    """Return a hash over what was applied: a fingerprint taken before a later file says nothing any more."""
    lines = sorted(f"{row.version} {row.name}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def exists(connection: Connection) -> bool:
    """Whether the database remembers any."""
    row = connection.execute("select to_regclass('ikoma.fingerprints') is not null").fetchone()
    return bool(row and row[0])


def keep(connection: Connection, kind: Kind, taken: Fingerprint, release: str = "", operation: str = "") -> None:
    """Remember a fingerprint of the database as it stands; there must be a ledger."""
    past = history(ledger.read(connection))
    with connection.transaction():
        if not exists(connection):
            connection.execute(_CREATE)
        connection.execute(_KEEP, [kind, taken.digest, past, release, operation, taken.pack()])


def find(connection: Connection, kind: Kind) -> Stored | None:
    """Return what is remembered, without its content."""
    if not exists(connection):
        return None
    row = connection.execute("select digest, history from ikoma.fingerprints where kind = %s", [kind]).fetchone()
    return Stored(*row) if row else None


def load(connection: Connection, kind: Kind) -> Fingerprint | None:
    """Return a remembered fingerprint whole. Raises ``IkomaError("database.fingerprint")`` when it is damaged."""
    if not exists(connection):
        return None
    row = connection.execute("select content from ikoma.fingerprints where kind = %s", [kind]).fetchone()
    return unpack(bytes(row[0])) if row else None
