"""Who holds what we wait for: looked up from a second session, because the first one is busy waiting."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import psycopg

from agent.database.connect import Connection, connect
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

LOCK: Final = (0x494B4F4D, 1)
"""Key of the advisory lock that one migration of a database holds."""

_LOOK_SECONDS: Final = 0.05
_SESSION = """
    select a.pid, coalesce(nullif(a.application_name, ''), '?'), coalesce(a.usename, '?'),
           coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.backend_start))::bigint, 0)
    from pg_stat_activity a
"""
_BLOCKING: Final = _SESSION + "where a.pid = any(pg_blocking_pids(%s)) order by a.xact_start nulls last limit 1"
_HOLDS: Final = """
    join pg_locks l on l.pid = a.pid
    where l.locktype = 'advisory' and l.granted and l.classid = %s and l.objid = %s and l.objsubid = 2
      and l.database = (select oid from pg_database where datname = current_database()) limit 1
"""
_MIGRATING: Final = _SESSION + _HOLDS


@dataclass(frozen=True, slots=True)
class Holder:
    """A session that others wait for. Its query is left out: it may hold data."""

    pid: int
    application: str
    role: str
    seconds: int

    def __str__(self) -> str:
        return f"{self.application} (role {self.role}, pid {self.pid}, {self.seconds} s)"


def _holder(connection: Connection, query: str, *params: int) -> Holder | None:
    row = connection.execute(query.encode(), params).fetchone()
    return Holder(int(row[0]), str(row[1]), str(row[2]), int(row[3])) if row else None


def migrating(connection: Connection) -> Holder | None:
    """Return the session that holds the migration lock of this database."""
    return _holder(connection, _MIGRATING, *LOCK)


class Watch:
    """Remembers who last blocked the session ``pid``. A watch that cannot connect knows nothing, and does no harm."""

    def __init__(self, dsn: Dsn, pid: int, name: str) -> None:
        self.last: Holder | None = None
        self._dsn, self._pid, self._name = dsn, pid, name
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look; the second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="blockers", daemon=True)
            self._thread.start()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def _look(self) -> None:
        try:
            with connect(self._dsn, f"{self._name} watch") as connection:
                while not self._stop.wait(_LOOK_SECONDS):
                    self.last = _holder(connection, _BLOCKING, self._pid) or self.last
        except (IkomaError, psycopg.Error):
            return
