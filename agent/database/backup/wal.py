"""A named point in the server's log of changes, where that log is archived and the cluster serves one target alone.

Going back to it turns the whole cluster back, by the archive's own tool (pgBackRest, WAL-G, …): that is the operator's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from agent.database.backup.source import MAINTENANCE
from agent.database.connect import Connection
from agent.model import messages
from agent.model.errors import IkomaError

PREFIX: Final = "wal:"
_ARCHIVED_WITHIN: Final = 120.0
_POLL_SECONDS: Final = 0.1
_LONGEST: Final = 63
_SERVER: Final = """
    select pg_is_in_recovery(), current_setting('archive_mode') in ('on', 'always')
           and (current_setting('archive_command') not in ('', '(disabled)')
                or coalesce(current_setting('archive_library', true), '') <> ''),
           has_function_privilege('pg_create_restore_point(text)', 'execute')
           and has_function_privilege('pg_switch_wal()', 'execute'),
           array(select datname::text from pg_database
                 where not datistemplate and datname <> current_database() order by 1)
"""
_ARCHIVER: Final = """
    select last_archived_time is not null and coalesce(last_archived_time > last_failed_time, true),
           coalesce(last_failed_wal, '') from pg_stat_archiver
"""
_MARK: Final = "select pg_create_restore_point(%s)::text, pg_walfile_name(pg_current_wal_lsn()), pg_switch_wal()::text"
_DONE: Final = """
    select right(coalesce(last_archived_wal, ''), 24) >= %s, right(coalesce(last_failed_wal, ''), 24) >= %s
    from pg_stat_archiver
"""


@dataclass(frozen=True, slots=True)
class Point:
    """A point that has been archived: its name, and where in the log it is."""

    name: str
    lsn: str

    @property
    def recorded(self) -> str:
        """What a release's record calls it."""
        return f"{PREFIX}{self.name}"


def obstacles(connection: Connection, lang: str) -> list[IkomaError]:
    """Return every reason why a named point would not be enough to go back to. Reads only."""
    return [IkomaError("backup.no_wal", reason=reason) for reason in _reasons(connection, lang)]


def _reasons(connection: Connection, lang: str) -> Iterator[str]:
    row: Any = connection.execute(_SERVER.encode()).fetchone()
    standby, archiving, allowed, others = row
    if standby or not archiving:
        yield messages.text("backup.wal.off", {}, lang)
        return
    row = connection.execute(_ARCHIVER.encode()).fetchone()
    if not row[0]:
        yield messages.text("backup.wal.failing", {"file": row[1] or "-"}, lang)
    if not allowed:
        yield messages.text("backup.wal.rights", {"role": connection.info.user}, lang)
    strangers = [name for name in others if not _ours(name, connection.info.dbname)]
    if strangers:
        yield messages.text("backup.wal.shared", {"databases": ", ".join(strangers)}, lang)


def _ours(name: str, database: str) -> bool:
    """Whether a database is none of an app's, or what a restore kept of ours. Pure."""
    return name in MAINTENANCE or re.fullmatch(rf"{re.escape(database)}_(before|restore)_[a-z0-9]+", name) is not None


def mark(connection: Connection, name: str, seconds: float = _ARCHIVED_WITHIN) -> Point:
    """Name the present moment, and wait until the archive has it.

    Raises:
        IkomaError: ``backup.wal_not_archived`` after ``seconds``, or as soon as archiving fails.
    """
    row: Any = connection.execute(_MARK, [name[:_LONGEST]]).fetchone()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done: Any = connection.execute(_DONE, [row[1], row[1]]).fetchone()
        if done[0]:
            return Point(name[:_LONGEST], str(row[0]))
        if done[1]:
            break
        time.sleep(_POLL_SECONDS)
    raise IkomaError("backup.wal_not_archived", file=row[1])
