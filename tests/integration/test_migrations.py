"""Migrations against a real PostgreSQL: what is applied, what is refused, what a fault leaves behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.database import apply
from agent.model.errors import IkomaError
from tests.integration.migrating import FILES, Release, release
from tests.integration.postgres import Cluster, binaries

__all__ = ["release"]


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
