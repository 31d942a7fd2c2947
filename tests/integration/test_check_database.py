"""``bridge check --with-database VARIABLE``: all migrations are tried on a server, which is left as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.database import rights
from agent.database.connect import connect
from tests.integration.postgres import Cluster

GOOD = "create table pets (id int);"


def check(repo: Path, value: str) -> tuple[int, dict[str, Any]]:
    words = ["check", "--repo", str(repo), "--with-database", "CI_DATABASE_URL", "--json"]
    env = os.environ | {"CI_DATABASE_URL": value, "IKOMA_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "bridge", *words], env=env, capture_output=True, text=True, timeout=120
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("second", "code", "places"),
    [
        ("alter table pets add column born date;", 0, []),
        ("select 1;\nalter table toys add column x int;", 1, [("migrations/0002_more.sql", 2)]),
    ],
)
def test_all_migrations_are_tried_in_an_empty_database(
    tmp_path: Path, cluster: Cluster, second: str, code: int, places: list[tuple[str, int]]
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/0001_pets.sql").write_text(GOOD)
    (tmp_path / "migrations/0002_more.sql").write_text(second)
    before = databases(cluster)
    ended, report = check(tmp_path, cluster.admin.url().reveal())
    told = [(item["file"], item["line"]) for item in report["findings"] if item["rule"] == "IKB603"]
    assert (ended, told) == (code, places), report
    assert databases(cluster) == before


def databases(cluster: Cluster) -> list[str]:
    with connect(cluster.admin, "tests") as connection:
        return [row[0] for row in connection.execute("select datname from pg_database order by 1").fetchall()]


def test_a_variable_that_holds_nothing_is_misuse(tmp_path: Path) -> None:
    ended, report = check(tmp_path, "")
    assert (ended, report["error"]["id"]) == (2, "check.no_database")


def test_the_rights_that_a_role_lacks_are_named_as_statements(cluster: Cluster) -> None:
    dsn = cluster.database()
    with cluster.inside(dsn) as admin:
        admin.execute("create table foreign_pets (id int)")
        admin.execute("create sequence foreign_numbers")
    with connect(dsn, "tests") as connection:
        found = rights.lacking(connection, dsn, ["public"])
        assert rights.size(connection) > 0
    assert found["dump"] == [
        f'grant select on all sequences in schema "public" to "{dsn.user}";',
        f'grant select on all tables in schema "public" to "{dsn.user}";',
    ]
    assert found["restore"] == [f'alter role "{dsn.user}" createdb;']
    with cluster.inside(dsn) as admin:
        for statement in (*found["dump"], *found["restore"]):
            admin.execute(statement.encode())
    with connect(replace(dsn), "tests") as connection:
        again = rights.lacking(connection, dsn, ["public"])
    assert (again["dump"], again["restore"]) == ([], [])
