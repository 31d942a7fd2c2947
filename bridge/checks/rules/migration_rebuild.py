"""IKB603: the database cannot be rebuilt from its migrations."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from agent.model.migrations import Migration
from bridge.checks import migrations
from bridge.checks.migrations import Folder
from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from agent.model.dsn import Dsn
    from bridge.checks.facts import Facts

ID = "IKB603"


def check(facts: Facts) -> Iterable[Finding]:
    found = migrations.folder(facts)
    if facts.database is None or found is None:
        return
    try:
        with _empty(facts.database) as dsn:
            _apply(facts, found, dsn)
    except IkomaError as problem:
        file = str(problem.params.get("file") or "")
        place = found.file(file) if file else found.path
        line = int(problem.params.get("line", 1) or 1)
        yield Finding(ID, Severity.ERROR, place, line, 1, problem.message("en"), problem.id, fix=problem.remedy("en"))


@contextmanager
def _empty(server: Dsn) -> Iterator[Dsn]:
    """Yield the connection to an empty database of the server, which is gone afterwards."""
    from psycopg import sql

    from agent.database.connect import session

    name = sql.Identifier(database := f"ikoma_check_{secrets.token_hex(6)}")
    with session(server, "ikoma:check") as connection:
        connection.execute(sql.SQL("create database {} template template0").format(name))
        try:
            yield replace(server, database=database)
        finally:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))


def _apply(facts: Facts, found: Folder, dsn: Dsn) -> None:
    from agent.database import apply
    from agent.database.frame import Run

    with tempfile.TemporaryDirectory(prefix="ikoma-check-") as folder:
        files = []
        for name in migrations.named(found):
            raw = (facts.root / found.file(name)).read_bytes()
            (Path(folder) / name).write_bytes(raw)
            files.append(Migration(name, hashlib.sha256(raw).hexdigest()))
        apply.migrate(Run(dsn, Path(folder), files, "check", "check", sorted(found.owned), remember=False))


RULE = Rule(
    ID,
    "migrations-do-not-rebuild",
    Severity.ERROR,
    "C9",
    "An app counts as deployed only if its database can be rebuilt somewhere else. With --with-database VARIABLE (the "
    "name of a variable that holds the connection of a PostgreSQL server, a service container in CI) all migrations "
    "are applied in an empty database of that server, which is dropped afterwards. A file that only runs where "
    "somebody has prepared something by hand is named with its line. Without the option nothing is connected to.",
    check,
)
