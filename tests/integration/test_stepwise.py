"""Files that cannot be one transaction, against a real PostgreSQL: each statement once, whatever comes between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.database import ledger
from agent.database.connect import connect
from agent.database.fingerprint import catalog
from agent.model.dsn import Dsn
from tests.integration.migrating import WORKER, Release
from tests.integration.postgres import Cluster

TABLE = "create table people (id int primary key, name text not null, mood text);\n"
ROWS = "insert into people select n, 'name ' || n, 'fine' from generate_series(1, 200) n;\n"
MIXED = {
    "0001_people.sql": TABLE + ROWS,
    "0002_index.sql": "set search_path = public;\nalter table people add column at date;\n"
    "create index concurrently people_name on people (name);\ncreate index concurrently on people (mood, name);\n"
    "comment on index people_name is 'by name';\nvacuum people;\n",
    "0003_mood.sql": "create type mood as enum ('sad', 'fine');\nalter type mood add value 'great';\n"
    "alter table people alter column mood type mood using mood::mood, alter column mood set default 'great';\n",
    "0004_parts.sql": "create table events (at date) partition by range (at);\n"
    "create table events_old partition of events for values from ('2020-01-01') to ('2021-01-01');\n"
    "alter table events detach partition events_old concurrently;\nreindex table concurrently people;\n"
    "drop index concurrently if exists people_name;\n",
}


@pytest.fixture
def release(tmp_path: Path, database: Dsn) -> Release:
    (tmp_path / "migrations").mkdir()
    made = Release(tmp_path / "migrations", database)
    made.write(MIXED)
    return made


def taken(dsn: Dsn) -> str:
    with connect(dsn, "tests") as connection:
        return catalog.take(connection).digest


def progress(release: Release, version: str) -> ledger.Progress | None:
    with connect(release.dsn, "tests") as connection:
        return ledger.progress(connection, version)


def test_files_with_statements_that_stand_alone_are_applied_and_recorded(release: Release) -> None:
    assert len(release.migrate()) == 4
    assert release.ask("select count(*) from ikoma.progress") == [0]
    assert release.ask("select bool_and(indisvalid) from pg_index") == [True]
    assert release.ask("select mood from people limit 1") == ["fine"]
    assert release.migrate() == []


def test_of_a_file_in_parts_what_stands_is_told_and_the_corrected_rest_goes_on_there(release: Release) -> None:
    bad = "insert into people values (1000, 'Ada', 'fine');\nvacuum people;\nselect 1/0;\n"
    release.write({"0002_index.sql": bad})
    error = release.refusal()
    assert error.id == "migration.sql"
    assert error.message("en").startswith("0002_index.sql:3: ")
    assert "first 2 statements" in error.remedy("en")
    assert release.recorded() == ["0001_people"]
    release.write({"0002_index.sql": bad.replace("1/0", "1")})
    assert release.migrate()[0] == "0002_index"
    assert release.ask("select count(*) from people where id = 1000") == [1]


def test_a_file_may_choose_the_isolation_of_its_transaction(release: Release) -> None:
    release.write({"0099_whole.sql": "set transaction isolation level repeatable read;\ncreate table whole (id int);"})
    assert release.migrate()[-1] == "0099_whole"


def test_what_stands_may_not_be_edited(release: Release) -> None:
    release.write({"0002_index.sql": "insert into people values (1000, 'Ada');\nvacuum people;\nselect 1/0;\n"})
    release.refusal()
    release.write({"0002_index.sql": "insert into people values (1001, 'Ada');\nvacuum people;\nselect 1;\n"})
    error = release.refusal()
    assert error.id == "migration.progress_edited"
    assert "statement 2" in error.message("en")


def test_an_index_that_cannot_be_built_leaves_none_behind(release: Release) -> None:
    rows = "insert into people select id + 500, name from people;\n"
    twice = rows + "create unique index concurrently once on people (name);\n"
    release.write({"0002_index.sql": twice})
    assert release.refusal().id == "migration.sql"
    assert release.ask("select to_regclass('once')") == [None]
    release.write({"0002_index.sql": twice.replace("unique ", "")})
    release.migrate()
    assert release.ask("select indisvalid from pg_index where indexrelid = 'once'::regclass") == [True]


def test_an_invalid_index_of_an_earlier_attempt_is_replaced(release: Release, cluster: Cluster) -> None:
    release.write({"0002_index.sql": "create index concurrently if not exists people_name on people (name);\n"})
    for name in ("0003_mood.sql", "0004_parts.sql"):
        (release.folder / name).unlink()
    with connect(release.dsn, "tests") as connection:
        connection.execute(TABLE.encode() + b"create index people_name on people (name)")
    with cluster.inside(release.dsn) as admin:
        admin.execute("set allow_system_table_mods = on; "
                      "update pg_index set indisvalid = false where indexrelid = 'people_name'::regclass")  # fmt: skip
    release.write({"0001_people.sql": ROWS})
    release.migrate()
    assert release.ask("select indisvalid from pg_index where indexrelid = 'people_name'::regclass") == [True]


DONE_BUT_NOT_RECORDED: dict[str, tuple[str, str]] = {
    "a named index": ("create index concurrently n on people (name)", "create index n on people (name)"),
    "a dropped index": ("drop index concurrently old", "drop index old"),
    "a value of an enum": ("alter type m add value 'b'; select 'b'::m", "alter type m add value 'b'"),
    "a detached partition": ("alter table p detach partition q concurrently", "alter table p detach partition q"),
}


@pytest.mark.parametrize("case", DONE_BUT_NOT_RECORDED.values(), ids=DONE_BUT_NOT_RECORDED.keys())
def test_a_statement_that_was_done_when_the_worker_died_is_not_done_again(
    release: Release, case: tuple[str, str]
) -> None:
    statement, effect = case
    first = (
        TABLE + "create index old on people (mood); create type m as enum ('a'); create table p (at date) "
        "partition by range (at); create table q partition of p for values from ('2020-01-01') to ('2021-01-01');"
    )
    for path in release.folder.iterdir():
        path.unlink()
    release.write({"0001_first.sql": first})
    release.migrate()
    release.write({"0002_alone.sql": statement + ";\n"})
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with connect(release.dsn, "tests") as connection:
        connection.execute(ledger.note(ledger.Progress("0002", 0, nothing, 0)))
        connection.execute(effect.encode())
    assert release.migrate() == ["0002_alone"]
    assert progress(release, "0002") is None


def test_settings_of_earlier_statements_hold_for_later_ones_and_after_a_restart(release: Release) -> None:
    text = "create schema side;\nset search_path = side;\nvacuum;\ncreate table here (id int);\nvacuum;\nselect 1/0;\n"
    release.write({"0002_index.sql": text})
    release.refusal()
    release.write({"0002_index.sql": text.replace("select 1/0", "create table there (id int)")})
    release.migrate()
    assert release.ask("select to_regclass('side.here')::text, to_regclass('side.there')::text") == [
        ("side.here", "side.there")
    ]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [(lambda text: "-- Reviewed.\n" + text, None), (lambda text: text.replace("200", "201"), "migration.edited")],
    ids=["a comment", "the code"],
)
def test_an_edited_comment_is_no_edit_but_edited_code_is(
    release: Release, edit: Callable[[str], str], expected: str | None
) -> None:
    release.migrate()
    release.write({"0001_people.sql": edit(MIXED["0001_people.sql"])})
    if expected is None:
        assert release.migrate() == []
    else:
        assert release.refusal().id == expected


def test_of_a_file_with_dbmates_marks_only_the_way_up_is_run(release: Release) -> None:
    release.write({"0001_people.sql": "-- migrate:up\n" + TABLE + ROWS + "-- migrate:down\ndrop table people;\n"})
    release.migrate()
    assert release.ask("select count(*) from people") == [200]


def thirty() -> dict[str, str]:
    """Thirty files: most are one transaction, some build an index beside it, one detaches, one adds to an enum."""
    files = {"0001_base.sql": TABLE + ROWS.replace("200", "40000")}
    for number in range(2, 29):
        table = f"create table t{number} as select n as id from generate_series(1, 2000) n;\n"
        if number % 4 == 0:
            table += (
                f"create index concurrently t{number}_id on t{number} (id);\n"
                f"create index concurrently on people (name, id);\nalter table t{number} add column late int;\n"
            )
        files[f"{number:04}_t{number}.sql"] = table
    return files | {"0029_mood.sql": MIXED["0003_mood.sql"], "0030_parts.sql": MIXED["0004_parts.sql"].replace(
        "if exists people_name", "t4_id")}  # fmt: skip


def killed(release: Release, delay: float) -> None:
    """Start a run in a process of its own and kill it, -9, ``delay`` seconds after it began to apply."""
    run = release.run()
    given = {"dsn": run.dsn.url().reveal(), "folder": str(run.folder),
             "files": [(item.file, item.sha256) for item in run.files]}  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, text=True)
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(given))
    worker.stdin.close()
    began(release, worker)
    time.sleep(delay)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    gone(release)


def gone(release: Release) -> None:
    """Wait until the server has ended the dead worker's session; the file it was at may still be committed."""
    query = (
        "select count(*) from pg_stat_activity where application_name ~ 'op-killed' and datname = current_database()"
    )
    deadline = time.monotonic() + 60
    while release.ask(query) != [0] and time.monotonic() < deadline:
        time.sleep(0.05)


def began(release: Release, worker: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and worker.poll() is None:
        if release.ask("select to_regclass('ikoma.migrations') is not null") == [True]:
            return
        time.sleep(0.01)


@pytest.mark.timeout(3600 if os.environ.get("IKOMA_LONG") else 600)
def test_a_run_killed_at_any_moment_ends_as_an_undisturbed_one(tmp_path: Path, cluster: Cluster) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    undisturbed = Release(folder, cluster.database())
    undisturbed.write(thirty())
    started = time.monotonic()
    undisturbed.migrate()
    seconds, expected = time.monotonic() - started, taken(undisturbed.dsn)
    chance = random.Random(int(os.environ.get("IKOMA_SEED", "1")))
    moments = 50 if os.environ.get("IKOMA_LONG") else 5
    for moment in (chance.uniform(0, seconds) for _ in range(moments)):
        other = Release(folder, cluster.database())
        killed(other, moment)
        stood = len(other.recorded())
        assert len(other.migrate()) == 30 - stood or stood == 30
        assert len(other.recorded()) == 30
        assert taken(other.dsn) == expected, f"killed after {moment:.3f} s, {stood} files stood"
        assert other.ask("select count(*) from ikoma.progress") == [0]
        assert other.ask("select count(*) from people") == [40000]
