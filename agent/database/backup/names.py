"""What backups are called: a name is a name, never a path. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from agent.database.fingerprint.model import KEPT
from agent.model.errors import Misuse

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST: Final = 63


def check(name: object) -> str:
    """Return ``name`` if a backup may be called so. Raises ``Misuse("backup.name")``."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or ".." in name:
        raise Misuse("backup.name", name=str(name)[:60])
    return name


def fresh(kind: str, operation: str, at: datetime | None = None) -> str:
    """Return a name of our own: kind, UTC time to the second, the end of the operation's id."""
    stamp = (at or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    return f"{kind}-{stamp}-{re.sub(r'[^A-Za-z0-9]', '', operation)[-6:] or '0'}"


def beside(database: str, word: str, operation: str) -> str:
    """Return the name of something beside ``database``, as long as PostgreSQL keeps names."""
    return _fitting(database, f"_{word}_{_end(operation)}")


def kept_schema(schema: str, operation: str) -> str:
    """Return what a schema is called once it has been replaced; a name that no fingerprint looks at."""
    return _fitting(KEPT + schema, f"_{_end(operation)}")


def _end(operation: str) -> str:
    return re.sub(r"[^a-z0-9]", "", operation.lower())[-8:] or "0"


def _fitting(name: str, ending: str) -> str:
    return name.encode()[: _LONGEST - len(ending)].decode(errors="ignore") + ending
