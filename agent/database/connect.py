"""Connections to a target's database: by keywords, with limits, with errors people can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from agent.database import faults, whereabouts
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

Connection = psycopg.Connection[TupleRow]

CONNECT_SECONDS: Final = 10
NAME_BYTES: Final = 63

_ABANDONED: Final = b"set client_connection_check_interval = '2s'"
_KNOWN_SINCE: Final = 140000


def connect(dsn: Dsn, name: str, *, seconds: int = CONNECT_SECONDS) -> Connection:
    """Open a session in autocommit mode.

    Args:
        name: what ``pg_stat_activity`` shows for it, cut to what PostgreSQL keeps.
        seconds: how long one attempt may take.

    Raises:
        IkomaError: ``database.pooler``, ``.which_container``, ``.unreachable``, ``.password``, ``.not_allowed``,
            ``.absent``, ``.too_many`` or ``.starting``.
    """
    if dsn.pooled:
        raise IkomaError("database.pooler", where=dsn.where)
    options = {"connect_timeout": seconds, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    own = {"application_name": name[:NAME_BYTES], "client_encoding": "utf8"}
    words = options | whereabouts.located(dsn).keywords() | own
    try:
        connection = psycopg.connect(**words, autocommit=True, prepare_threshold=None)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise faults.connecting(error, dsn) from None  # the chain would print the original
    with translated(dsn):
        connection.execute(settings(connection))
    return connection


def settings(connection: Connection) -> bytes:
    """Return the statement that gives a fresh or reset session what all of ours have.

    The server looks every two seconds whether its client still lives: a killed agent frees its locks.
    """
    return _ABANDONED if connection.info.server_version >= _KNOWN_SINCE else b"select"


@contextmanager
def translated(dsn: Dsn) -> Iterator[None]:
    """Turn every error of psycopg into one of ours."""
    try:
        yield
    except psycopg.Error as error:
        raise faults.working(error, dsn) from None


@contextmanager
def session(dsn: Dsn, name: str) -> Iterator[Connection]:
    """Yield a session that is closed at the end, its errors translated."""
    connection = connect(dsn, name)
    try:
        with translated(dsn):
            yield connection
    finally:
        connection.close()


def in_transaction(connection: Connection) -> bool:
    """Whether a healthy transaction is open."""
    return connection.info.transaction_status == pq.TransactionStatus.INTRANS


def idle(connection: Connection) -> bool:
    """Whether no transaction is open, healthy or not."""
    return connection.info.transaction_status == pq.TransactionStatus.IDLE
