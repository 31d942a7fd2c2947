"""Migrations against a real PostgreSQL: what is applied, what is refused, what a fault leaves behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.database import apply, ledger
from agent.database.blockers import LOCK
from agent.database.connect import connect
from agent.database.frame import Limits, Run
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import Migration
from agent.model.secret import Secret
from tests.integration.postgres import Cluster, binaries

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


def test_a_first_run_applies_every_file_in_order_and_records_it(release: Release) -> None:
    assert release.migrate() == ["0001_people", "0002_seed", "0003_index"]
    assert release.said == ["Applying 0001_people.sql", "Applying 0002_seed.sql", "Applying 0003_index.sql"]
    assert release.ask("select name from people order by id") == ["Ada", "Grace; -- no comment"]
    assert release.ask("select distinct (applied_by, release, operation)::text from ikoma.migrations") == [
        f"({release.dsn.user},r-0123456789ab,op-1)"
    ]


def test_a_second_run_does_nothing(release: Release) -> None:
    release.migrate()
    before = release.ask("select xmin::text from ikoma.migrations order by version")
    assert release.migrate() == []
    assert release.ask("select xmin::text from ikoma.migrations order by version") == before


def test_progress_is_told_in_french(release: Release) -> None:
    release.migrate(lang="fr")
    assert release.said[0] == "Application de 0001_people.sql"


def test_a_run_with_nothing_to_do_makes_no_ledger(release: Release) -> None:
    for path in release.folder.iterdir():
        path.unlink()
    assert release.migrate() == []
    assert release.ask("select to_regnamespace('ikoma')") == [None]


@pytest.mark.parametrize(
    ("change", "expected", "named"),
    [
        (lambda folder: (folder / "0001_people.sql").write_text("select 1;"), "migration.edited", "0001_people.sql"),
        (lambda folder: (folder / "0002_seed.sql").unlink(), "migration.missing", "0002_seed"),
        (lambda folder: (folder / "0003_index.sql").unlink(), "migration.missing", "0003_index"),
    ],
    ids=["edited", "missing in between", "missing before a new one"],
)
def test_a_changed_history_is_refused_before_anything_changes(
    release: Release, change: Callable[[Path], object], expected: str, named: str
) -> None:
    release.migrate()
    change(release.folder)
    release.write({"0004_new.sql": "create table never (id int);"})
    error = release.refusal()
    assert error.id == expected
    assert named in error.message("en")
    assert release.ask("select to_regclass('never')") == [None]


def test_a_database_newer_than_the_release_is_refused(release: Release) -> None:
    release.migrate()
    (release.folder / "0003_index.sql").unlink()
    error = release.refusal()
    assert error.id == "migration.ahead"
    assert "0003_index" in error.message("en")


def test_a_file_numbered_before_an_applied_one_is_refused(release: Release) -> None:
    (release.folder / "0002_seed.sql").rename(release.folder.parent / "kept")
    release.migrate()
    (release.folder.parent / "kept").rename(release.folder / "0002_seed.sql")
    error = release.refusal()
    assert error.id == "migration.out_of_order"
    assert release.ask("select count(*) from people") == [0]


def test_an_sql_error_names_file_line_statement_and_hint_and_keeps_what_came_before(release: Release) -> None:
    broken = "create table third (id int);\n\n-- the é of the comment counts\nselect naem\n  from people;\n"
    release.write({"0003_index.sql": broken, "0004_more.sql": "create table fourth (id int);"})
    error = release.refusal()
    assert error.id == "migration.sql"
    message = error.message("en")
    assert message.startswith('0003_index.sql:4: column "naem" does not exist (42703)')
    assert "select naem from people" in message
    assert "keeps what was applied before: 0001_people, 0002_seed" in message
    assert 'Perhaps you meant to reference the column "people.name".' in error.remedy("en")
    assert release.recorded() == ["0001_people", "0002_seed"]
    assert release.ask("select to_regclass('third'), to_regclass('fourth')") == [(None, None)]


def test_after_the_correction_the_run_goes_on_where_it_stopped(release: Release) -> None:
    release.write({"0003_index.sql": "create index people_name on people (nmae);"})
    release.refusal()
    release.write(FILES)
    assert release.migrate() == ["0003_index"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("create table a (i int);\nCOMMIT;\ncreate table b (i int);", "migration.transaction_control"),
        ("select 1;\nselec 2;", "migration.syntax"),
        ("\\connect other\nselect 1;", "migration.meta_command"),
        ("copy people from stdin;\n1\tAda\n", "migration.copy_data"),
    ],
)
def test_a_file_that_cannot_be_understood_stops_the_run_before_the_first_file(
    release: Release, text: str, expected: str
) -> None:
    release.write({"0003_index.sql": text})
    error = release.refusal()
    assert error.id == expected
    assert "0003_index.sql:" in error.message("en")
    assert release.ask("select to_regclass('people')") == [None]


def test_a_file_changed_after_the_release_was_built_is_refused(release: Release) -> None:
    run = release.run()
    release.write({"0001_people.sql": "create table other (i int);"})
    with pytest.raises(IkomaError) as caught:
        apply.migrate(run)
    assert caught.value.id == "migration.altered"


def test_what_one_file_does_to_its_session_does_not_reach_the_next(release: Release) -> None:
    release.write({
        "0003_index.sql": "select set_config('search_path', '', false); set session statement_timeout = 1;",
        "0004_after.sql": "select pg_sleep(0.05); create table unqualified (i int);",
    })  # fmt: skip
    assert release.migrate()[-1] == "0004_after"
    assert release.ask("select to_regclass('public.unqualified')::text") == ["unqualified"]


def test_a_dump_is_a_migration_its_rows_included(release: Release, cluster: Cluster) -> None:
    other = cluster.database()
    rows = (
        r"""insert into odd values (1, E'tab\there; it''s\n\\.\nselect 1;'), (2, null), (3, ''), (4, E'\\N $$ é \r')"""
    )
    with cluster.inside(other) as admin:
        admin.execute("create table odd (id int primary key, said text); " + rows)
    words = {"PGPASSWORD": cluster.admin.password.reveal(), "PGHOST": cluster.admin.host, "PGUSER": cluster.admin.user}
    argv = [str(binaries() / "pg_dump"), "--no-owner", f"--port={cluster.admin.port}", other.database]
    dump = subprocess.run(argv, env=os.environ | words, capture_output=True, text=True, check=True).stdout
    release.write(
        {"0003_index.sql": dump, "0004_after.sql": "create table after (id int);\ncopy after from stdin;\n7\n\\.\n"}
    )
    release.migrate()
    query = "select id, said from odd order by id"
    with cluster.inside(other) as admin:
        assert release.ask(query) == admin.execute(query.encode()).fetchall()
    assert release.ask("select id from after") == [7]


def test_a_row_of_a_dump_that_does_not_fit_is_named_and_undoes_the_file(release: Release) -> None:
    release.write({"0003_index.sql": "create table t (i int);\ncopy t from stdin;\n1\nx\n\\.\n"})
    error = release.refusal()
    assert error.id == "migration.sql"
    assert error.message("en").startswith("0003_index.sql:2: ")
    assert release.ask("select to_regclass('t')") == [None]


def body(said: str, *, carriage: bool = False, mark: bool = False) -> bytes:
    text = f"create function f() returns text language plpgsql as $y1$\nbegin\n{said}\nend\n$y1$;\nselect f();\n"
    return (b"\xef\xbb\xbf" if mark else b"") + (text.replace("\n", "\r\n") if carriage else text).encode()


BODIES = {
    "a byte order mark and carriage returns": body("return 'a;b';", carriage=True, mark=True),
    "five megabytes": body("-- it's a long story; $x$ $$ é\n" * 160_000 + "return 'a;b';"),
    "dollar quotes in comments": b"-- $x$ commit;\n/* $y1$ /* $$ */ begin; */\n" + body("/* $z$ */ return 'a;b';"),
    "a block within a block": body("return 'a;b';") + b"do $a$ begin execute $b$ create table t (i int); $b$; end $a$;",
    "another standard of strings": b"select E'\\';', U&'d\\0061t', $$it's;$$;\n" + body("return 'a;b';"),
}  # fmt: skip


@pytest.mark.parametrize("text", BODIES.values(), ids=BODIES.keys())
def test_what_is_hard_to_read_is_applied_as_it_stands(release: Release, text: bytes) -> None:
    (release.folder / "0003_index.sql").write_bytes(text)
    release.migrate()
    assert release.ask("select f()") == ["a;b"]
    source = release.ask("select prosrc from pg_proc where proname = 'f'")[0]
    assert source.encode() in text


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


def test_a_lock_that_is_released_in_time_only_delays(release: Release) -> None:
    release.migrate()
    release.write({"0004_wider.sql": "alter table people add column born date;"})
    reader = connect(release.dsn, "short report")
    reader.execute("begin")
    reader.execute("select * from people")
    threading.Timer(1.0, reader.close).start()
    assert release.migrate(limits=Limits(lock_ms=100)) == ["0004_wider"]


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
