"""What a platform brings that migrations refer to (Supabase's ``auth``, ``storage``, …): taken from live, no rows."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.database.backup import tools
from agent.database.backup.tools import Programs
from agent.database.connect import Connection
from agent.database.fingerprint import catalog
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError

_SECONDS: Final = 120.0
_NAMES: Final = "select nspname from pg_namespace where oid = any(%s) order by nspname"


def schemas(connection: Connection) -> tuple[str, ...]:
    """Return the names of the schemas of a live database that belong to its platform."""
    _, platform = catalog.schemas(connection, connection.info.user)
    return tuple(name for (name,) in connection.execute(_NAMES, [platform]).fetchall())


def dump(live: Dsn, names: Sequence[str], major: int, docker_socket: str = "") -> str:
    """Return the SQL of a platform's schemas: without rows, and without what the app hung on them; "" for none.

    Raises:
        IkomaError: ``proof.no_platform`` when live does not let its platform be read.
    """
    if not names:
        return ""
    programs = tools.of(live, major, docker_socket)
    with tempfile.TemporaryDirectory(prefix="ikoma-platform-") as folder:
        file = Path(folder) / "platform.sql"
        options = ["--schema-only", "--no-publications", "--no-subscriptions", "--no-comments"]
        chosen = [f"--schema={_exactly(name)}" for name in names]
        try:
            programs.write(file, programs.argv("pg_dump", *options, *chosen), _SECONDS)
        except IkomaError as error:
            reason = str(error.params.get("said", error.message("en")))
            raise IkomaError("proof.no_platform", schemas=", ".join(names), reason=reason) from None
        return file.read_text(encoding="utf-8")


def load(into: Programs, text: str) -> None:
    """Make a platform's schemas in an empty database.

    What the throw-away cluster cannot make (a library that is not there) is left out; a migration that needs it fails
    there, and is named.
    """
    if not text:
        return
    with tempfile.TemporaryDirectory(prefix="ikoma-platform-") as folder:
        file = Path(folder) / "platform.sql"
        file.write_text(text, encoding="utf-8")
        with contextlib.suppress(IkomaError):
            into.read(file, into.argv("psql", "--no-psqlrc", "--quiet"), _SECONDS)


def _exactly(name: str) -> str:
    """Return a pattern of pg_dump that means one schema."""
    return '"' + name.replace('"', '""') + '"'
