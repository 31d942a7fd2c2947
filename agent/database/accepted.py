"""Differences that somebody accepted when a database was taken over: known, named, and only as they were then."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from agent.database.connect import Connection
from agent.database.fingerprint.model import Fingerprint, Key

_CREATE: Final = """
    create table if not exists ikoma.accepted (
        kind text not null,
        schema text not null,
        name text not null,
        digest text not null,
        accepted_by text not null default session_user,
        accepted_at timestamptz not null default clock_timestamp(),
        primary key (kind, schema, name)
    )
"""


def keep(connection: Connection, live: Fingerprint, keys: Iterable[Key]) -> None:
    """Remember objects as they are in live; there must be a ledger."""
    connection.execute(_CREATE)
    for key in keys:
        connection.execute(
            "insert into ikoma.accepted (kind, schema, name, digest) values (%s, %s, %s, %s)",
            [*key, digest(live.objects.get(key))],
        )


def read(connection: Connection) -> dict[Key, str]:
    """Return the accepted objects and the digest of what they were."""
    row = connection.execute("select to_regclass('ikoma.accepted') is not null").fetchone()
    if not (row and row[0]):
        return {}
    rows = connection.execute("select kind, schema, name, digest from ikoma.accepted").fetchall()
    return {Key(kind, schema, name): text for kind, schema, name, text in rows}


def spared(known: Mapping[Key, str], live: Fingerprint) -> set[Key]:
    """Return the accepted objects that are still what was accepted. Pure."""
    return {key for key, text in known.items() if digest(live.objects.get(key)) == text}


def digest(facts: str | None) -> str:
    """Return a hash over an object's facts; that of nothing for one that is not there."""
    return hashlib.sha256((facts or "").encode()).hexdigest()
