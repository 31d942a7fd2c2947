"""A folder of migration files and a database they run against."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.database import apply, ledger
from agent.database.connect import connect
from agent.database.frame import Run
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import Migration

FILES = {
    "0001_people.sql": "create table people (id int primary key, name text not null);\n",
    "0002_seed.sql": "insert into people values (1, 'Ada');\ninsert into people values (2, 'Grace; -- no comment');\n",
    "0003_index.sql": "create index people_name on people (name);\n",
}


class Release:
    """A folder of migration files, and runs of it."""

    def __init__(self, folder: Path, dsn: Dsn) -> None:
        self.folder, self.dsn, self.said = folder, dsn, list[str]()

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def run(self, **changes: Any) -> Run:
        files = [
            Migration(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(self.folder.iterdir())
        ]
        run = Run(self.dsn, self.folder, files, "r-0123456789ab", "op-1", say=self.said.append)
        return replace(run, **changes)

    def migrate(self, **changes: Any) -> list[str]:
        return apply.migrate(self.run(**changes))

    def refusal(self, **changes: Any) -> IkomaError:
        with pytest.raises(IkomaError) as caught:
            self.migrate(**changes)
        return caught.value

    def ask(self, query: str) -> list[Any]:
        with connect(self.dsn, "tests") as connection:
            return [row[0] if len(row) == 1 else row for row in connection.execute(query.encode()).fetchall()]

    def recorded(self) -> list[str]:
        with connect(self.dsn, "tests") as connection:
            return sorted(row.name for row in ledger.read(connection))


@pytest.fixture
def release(tmp_path: Path, database: Dsn) -> Release:
    (tmp_path / "migrations").mkdir()
    made = Release(tmp_path / "migrations", database)
    made.write(FILES)
    return made


WORKER = """
import json, sys
from pathlib import Path
from agent.database import apply, frame
from agent.model import dsn
from agent.model.migrations import Migration
given = json.load(sys.stdin)
files = [Migration(*item) for item in given["files"]]
apply.migrate(frame.Run(dsn.parse(given["dsn"]), Path(given["folder"]), files, "r-0123456789ab", "op-killed"))
"""
