"""Migrations that something stands in the way of: another run, a lock, a kill, a right, a disk, a wrong connection."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.database.blockers import LOCK
from agent.database.connect import connect
from agent.database.frame import Limits
from agent.model.errors import IkomaError
from agent.model.secret import Secret
from tests.integration.migrating import FILES, WORKER, Release, release
from tests.integration.postgres import Cluster

__all__ = ["release"]


def test_two_runs_at_once_apply_every_file_once(release: Release) -> None:
    release.write({"0003_index.sql": "select pg_sleep(0.5); create index people_name on people (name);"})
    applied: list[list[str]] = []
    runs = [threading.Thread(target=lambda: applied.append(release.migrate())) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert sorted(map(len, applied)) == [0, 0, 3]
    assert any(line.startswith("Waiting for another migration: ikoma:op-1 ") for line in release.said)


def test_a_run_that_waits_too_long_for_another_names_it(release: Release) -> None:
    with connect(release.dsn, "ikoma:somebody") as other:
        other.execute("select pg_advisory_lock(%s::int, %s::int)", LOCK)
        error = release.refusal(limits=Limits(queue_seconds=0.3))
    assert error.id == "migration.locked"
    assert "ikoma:somebody" in error.message("en")


def test_a_table_locked_by_another_session_is_retried_and_the_session_named(release: Release, cluster: Cluster) -> None:
    release.migrate()
    release.write({"0004_wider.sql": "\nalter table people add column born date;"})
    with connect(release.dsn, "report of accounting") as reader:
        reader.execute("begin")
        reader.execute("select * from people")
        started = time.monotonic()
        error = release.refusal(limits=Limits(lock_ms=100, conflict_seconds=2))
    assert time.monotonic() - started < 30, "it waited as long as the other session pleased"
    assert error.id == "migration.blocked"
    assert error.message("en").startswith("0004_wider.sql:2: ")
    assert "report of accounting" in error.message("en")
    assert any("0004_wider.sql: waiting for a lock held by report of accounting" in line for line in release.said)


def test_a_statement_that_stands_alone_stalls_nobody_while_it_waits(release: Release) -> None:
    """Readers would queue up behind a VACUUM FULL that waits; an index is built concurrently as long as it takes."""
    release.migrate()
    release.write({"0004_full.sql": "vacuum full people;"})
    with connect(release.dsn, "report of accounting") as reader:
        reader.execute("begin")
        reader.execute("select * from people")
        error = release.refusal(limits=Limits(lock_ms=100, conflict_seconds=2))
    assert error.id == "migration.blocked"
    assert "report of accounting" in error.message("en")
    assert release.migrate(limits=Limits(lock_ms=100)) == ["0004_full"]


def test_a_lock_that_is_released_in_time_only_delays(release: Release) -> None:
    release.migrate()
    release.write({"0004_wider.sql": "alter table people add column born date;"})
    reader = connect(release.dsn, "short report")
    reader.execute("begin")
    reader.execute("select * from people")
    threading.Timer(1.0, reader.close).start()
    assert release.migrate(limits=Limits(lock_ms=100)) == ["0004_wider"]


def test_a_run_killed_in_the_middle_of_a_file_is_simply_run_again(release: Release) -> None:
    release.write({"0003_index.sql": "create index people_name on people (name); select pg_sleep(30);"})
    run = release.run()
    given = {
        "dsn": run.dsn.url().reveal(),
        "folder": str(run.folder),
        "files": [(item.file, item.sha256) for item in run.files],
    }
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, text=True, cwd=Path.cwd())
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(given))
    worker.stdin.close()
    sleeping = "select count(*) from pg_stat_activity where application_name = 'ikoma:op-killed' and query ~ 'pg_sleep'"
    deadline = time.monotonic() + 20
    while release.ask(sleeping) == [0] and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(10)
    assert release.recorded() == ["0001_people", "0002_seed"]
    release.write(FILES)
    started = time.monotonic()
    assert release.migrate() == ["0003_index"]
    assert time.monotonic() - started < 60, "the killed run's session kept its lock"


def test_a_read_only_database_is_named_as_such(release: Release, cluster: Cluster) -> None:
    with connect(cluster.admin, "tests") as admin:
        admin.execute(f"alter database {release.dsn.database} set default_transaction_read_only = on".encode())
    error = release.refusal()
    assert error.id == "database.read_only"


def test_a_database_without_rights_names_the_role(release: Release, cluster: Cluster) -> None:
    with cluster.inside(release.dsn) as admin:
        admin.execute(f"alter database {release.dsn.database} owner to admin".encode())
    error = release.refusal()
    assert error.id == "database.denied"
    assert release.dsn.user in error.message("en")


def test_a_session_ended_by_the_server_leaves_nothing_half_done(release: Release, cluster: Cluster) -> None:
    release.write({"0003_index.sql": "create index people_name on people (name); select pg_sleep(30);"})
    caught: list[IkomaError] = []
    thread = threading.Thread(target=lambda: caught.append(release.refusal()))
    thread.start()
    with connect(cluster.admin, "tests") as admin:
        end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s and query ~ 'pg_sleep'"
        deadline = time.monotonic() + 20
        while not admin.execute(end, [release.dsn.user]).fetchall() and time.monotonic() < deadline:
            time.sleep(0.05)
    thread.join(30)
    assert caught[0].id == "database.lost"
    assert release.recorded() == ["0001_people", "0002_seed"]
    release.write(FILES)
    assert release.migrate() == ["0003_index"]


def test_a_violation_found_only_at_the_end_of_a_file_undoes_the_file(release: Release) -> None:
    late = "create table a (i int primary key); create table b (i int references a deferrable initially deferred);"
    release.write({"0003_index.sql": f"{late}\ninsert into b values (1);"})
    error = release.refusal()
    assert (error.id, error.params["code"]) == ("migration.sql", "23503")
    assert "(1)" not in error.message("en").replace("values (1)", ""), "PostgreSQL's detail quotes rows"
    assert release.ask("select to_regclass('a')") == [None]
    assert release.recorded() == ["0001_people", "0002_seed"]


def test_a_file_that_changes_its_role_is_recorded_all_the_same(release: Release, cluster: Cluster) -> None:
    with connect(cluster.admin, "tests") as admin:
        other = f"{release.dsn.user}_other"
        admin.execute(f"create role {other}; grant {other} to {release.dsn.user}".encode())
    release.write({"0003_index.sql": f"set role {other};", "0004_after.sql": "create table after (i int);"})
    assert release.migrate()[-2:] == ["0003_index", "0004_after"]
    assert release.ask("select tableowner from pg_tables where tablename = 'after'") == [release.dsn.user]


def test_unqualified_names_go_into_the_schema_of_the_target(release: Release) -> None:
    release.write({"0001_people.sql": "create schema app; " + FILES["0001_people.sql"]})
    release.migrate(schema="app")
    assert release.ask("select to_regclass('app.people')::text, to_regclass('public.people')") == [("app.people", None)]


@pytest.fixture
def small_disk(cluster: Cluster, release: Release) -> Iterator[None]:
    """The database's tables lie on a disk of 8 MiB."""
    folder = cluster.log.parent / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)
    shutil.chown(folder, "nobody", "nogroup")
    with connect(cluster.admin, "tests") as admin:
        admin.execute(f"create tablespace small location '{folder}'".encode())
        admin.execute(f"grant create on tablespace small to {release.dsn.user}".encode())
        admin.execute(f"alter role {release.dsn.user} set default_tablespace = small".encode())
        try:
            yield
        finally:
            admin.execute(f"alter database {release.dsn.database} with allow_connections false".encode())
            admin.execute(f"drop database {release.dsn.database} with (force)".encode())
            admin.execute("drop tablespace small")
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_named_and_leaves_the_files_before(release: Release) -> None:
    release.write({"0003_index.sql": "create table big as select repeat('x', 1000) from generate_series(1, 100000);"})
    error = release.refusal()
    assert error.id == "database.disk_full"
    assert release.recorded() == ["0001_people", "0002_seed"]


def test_no_connection_left_is_named(release: Release, cluster: Cluster) -> None:
    with connect(cluster.admin, "tests") as admin:
        admin.execute(f"alter role {release.dsn.user} connection limit 0".encode())
    assert release.refusal().id == "database.too_many"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": Secret("wrong%zz @'\"")}, "database.password"),
        ({"user": "nobody_here"}, "database.password"),
        ({"database": "not_there"}, "database.absent"),
        ({"port": 1}, "database.unreachable"),
        ({"host": "no-such-host.invalid"}, "database.unreachable"),
        ({"port": 6543, "host": "aws-0-eu.pooler.supabase.com"}, "database.pooler"),
    ],
)
def test_a_wrong_connection_is_explained_without_its_password(
    release: Release, change: dict[str, Any], expected: str
) -> None:
    release.dsn = replace(release.dsn, **change)
    error = release.refusal()
    assert error.id == expected
    for lang in ("en", "fr"):
        shown = error.message(lang) + error.remedy(lang) + repr(error.params)
        assert release.dsn.password.reveal() not in shown
        assert error.remedy(lang)
