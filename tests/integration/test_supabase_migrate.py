"""``ikoma supabase migrate --app X --repo DIR``, as it was typed before: a line a file, a closing line, once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.database.connect import connect
from agent.host.paths import Paths
from agent.model.dsn import Dsn
from tests.integration.postgres import Cluster

FILES = {"0001_people.sql": "create table app.people (id int);", "0002_pets.sql": "create table pets (id int);"}
LINES = {
    "fr": ["Application de 0001_people.sql", "Application de 0002_pets.sql", "Migration Supabase terminée"],
    "en": ["Applying 0001_people.sql", "Applying 0002_pets.sql", "Supabase migration finished"],
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo/migrations"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder.parent


def ikoma(root: Path, repo: Path, dsn: Dsn, lang: str = "fr") -> subprocess.CompletedProcess[str]:
    for folder in (Paths(root).etc, Paths(root).locks, Paths(root).incoming, Paths(root).apps, Paths(root).log):
        folder.mkdir(parents=True, exist_ok=True)
    words = ["supabase", "migrate", "--app", "ikomaposte", "--repo", str(repo)]
    named = {"SUPABASE_DB_DSN": dsn.url().reveal(), "SUPABASE_DB_SCHEMA": "app", "IKOMA_LANG": lang}
    env = os.environ | named | {"IKOMA_ROOT": str(root)}
    return subprocess.run([sys.executable, "-m", "agent", *words], env=env, capture_output=True, text=True, timeout=120)


@pytest.fixture
def dsn(cluster: Cluster) -> Dsn:
    found = cluster.database()
    with connect(found, "tests") as connection:
        connection.execute("create schema app")
    return found


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_it_says_a_line_a_file_and_a_second_run_applies_nothing(
    tmp_path: Path, repo: Path, dsn: Dsn, lang: str
) -> None:
    first = ikoma(tmp_path / "root", repo, dsn, lang)
    assert (first.returncode, first.stdout.splitlines()) == (0, LINES[lang]), first
    again = ikoma(tmp_path / "root", repo, dsn, lang)
    assert (again.returncode, again.stdout.splitlines()) == (0, LINES[lang][-1:]), again
    with connect(dsn, "tests") as connection:
        assert connection.execute("select to_regclass('app.pets') is not null").fetchone() == (True,)


def test_a_fault_names_file_and_line_and_never_the_password(tmp_path: Path, repo: Path, dsn: Dsn) -> None:
    (repo / "migrations/0003_bad.sql").write_text("select 1;\ncreate table pets (id nonsense);")
    failed = ikoma(tmp_path / "root", repo, dsn)
    assert failed.returncode == 1
    assert "0003_bad.sql:2" in failed.stdout
    everything = failed.stdout + failed.stderr + "".join(
        path.read_text(errors="replace") for path in (tmp_path / "root").rglob("*") if path.is_file()
    )  # fmt: skip
    assert dsn.password.reveal() not in everything
