"""Many statements in one message to the server, and which of them failed: a file costs one round trip, not ten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import generators, pq
from psycopg.errors import error_from_result

from agent.database.connect import Connection

_BETWEEN: Final = b"\n;"  # a statement may end in a comment, which ends with its line


class Stopped(Exception):
    """The statement ``number`` (from 0) failed; those after it were not run.

    Attributes:
        shift: how many characters stand before it in the message, by which the server's position is too high.
    """

    def __init__(self, number: int, error: psycopg.Error, shift: int) -> None:
        super().__init__()
        self.number, self.error, self.shift = number, error, shift


def execute(connection: Connection, statements: Sequence[bytes]) -> None:
    """Run statements one after the other, as psql would; none of them may be a COPY that waits for rows.

    Raises:
        Stopped: one failed; the transaction, if one was open, is broken.
        psycopg.OperationalError: the connection was lost.
    """
    connection.pgconn.send_query(_BETWEEN.join(statements))
    done = connection.wait(generators.execute(connection.pgconn))
    if done and done[-1].status == pq.ExecStatus.FATAL_ERROR:
        number = min(len(done), len(statements)) - 1
        before = b"".join(item + _BETWEEN for item in statements[:number])
        raise Stopped(number, error_from_result(done[-1]), len(before.decode()))
