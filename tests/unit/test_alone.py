"""Statements that PostgreSQL refuses inside a transaction, found by its grammar; and how a file is parted."""

from __future__ import annotations

import postgast
import pytest

from agent.database import alone
from agent.database.statements import Statement, split, tokens
from agent.database.stepwise import parts

ALONE = [
    "do $$ begin for i in 1..3 loop insert into t values (i); commit; end loop; end $$",
    "create index concurrently a on b (c)",
    "create unique index concurrently on b (c)",
    "drop index concurrently i",
    "alter table p detach partition q concurrently",
    "vacuum",
    "vacuum (full, analyze) t",
    "reindex table concurrently x",
    "reindex (concurrently) index x",
    "reindex (verbose, concurrently true) index x",
    "reindex schema s",
    "cluster",
    "create subscription s connection 'x' publication p",
    "drop subscription s",
    "create database d",
    "drop database d",
    "create tablespace t location '/x'",
    "alter system set work_mem = '1MB'",
    "discard all",
]
TOGETHER = [
    "create index a on b (c)",
    "drop index i",
    "drop table t",
    "alter table p detach partition q",
    "alter table p detach partition q finalize",
    "alter table p alter column x set default 3, add y int",
    "analyze t",
    "reindex table x",
    "reindex (concurrently false) index x",
    "cluster t using i",
    "create subscription s connection 'x' publication p with (connect = false)",
    "create subscription s connection 'x' publication p with (create_slot = false)",
    "alter type mood add value 'new'",
    "alter type mood rename value 'a' to 'b'",
    "refresh materialized view concurrently m",
    "discard temp",
    "do $$ begin perform 'create index concurrently a on b (c)'; end $$",
    "comment on table t is 'vacuum'",
    "do $$ begin raise notice 'commit'; end $$",
]


@pytest.mark.parametrize("text", ALONE)
def test_it_must_run_alone(text: str) -> None:
    assert [statement.alone for statement in split(text, "0001_x.sql")] == [True]


@pytest.mark.parametrize("text", TOGETHER)
def test_it_may_share_a_transaction(text: str) -> None:
    assert [statement.alone for statement in split(text, "0001_x.sql")] == [False]


def test_a_new_value_of_an_enum_stands_alone_where_the_file_uses_it() -> None:
    file = "alter type mood add value 'new'; alter type mood add value 'other'; insert into t values ('new');"
    assert [statement.alone for statement in split(file, "0001_x.sql")] == [True, False, False]


def numbered(*alone: bool) -> list[Statement]:
    return [Statement(f"select {number}", number, single) for number, single in enumerate(alone)]


@pytest.mark.parametrize(
    ("alone", "done", "expected"),
    [
        ((False, False), 0, [(0, 2, False)]),
        ((False, True, False, False, True), 0, [(0, 1, False), (1, 1, True), (2, 2, False), (4, 1, True)]),
        ((True, True), 0, [(0, 1, True), (1, 1, True)]),
        ((False, True, False, False), 2, [(2, 2, False)]),
        ((False, True), 2, []),
    ],
)  # fmt: skip
def test_a_file_is_done_in_as_few_parts_as_can_be(
    alone: tuple[bool, ...], done: int, expected: list[tuple[int, int, bool]]
) -> None:
    found = [(part.first, len(part.statements), part.alone) for part in parts(numbered(*alone), done)]
    assert found == expected


CODE = "create table t (id int, name text default 'a -- b'); -- the table\n/* more */ select 'x';"


@pytest.mark.parametrize(
    "text",
    [
        "create table t (id int, name text default 'a -- b');select 'x';",
        "-- A licence\r\ncreate table t\r\n  (id int, name text default 'a -- b');\r\nselect 'x';\r\n",
        CODE + "\n\n-- migrate again: no\n",
    ],
    ids=["without comments", "other line ends and a licence", "a comment at the end"],
)
def test_comments_and_white_space_change_nothing_that_a_file_says(text: str) -> None:
    assert tokens(text) == tokens(CODE)


@pytest.mark.parametrize(
    "text",
    [CODE.replace("'x'", "'y'"), CODE.replace("a --", "a -- "), CODE.replace("id int", "id oid"), CODE + " select 1;"],
    ids=["a literal", "inside a string", "a type", "a statement"],
)  # fmt: skip
def test_an_edit_of_the_code_changes_what_a_file_says(text: str) -> None:
    assert tokens(text) != tokens(CODE)


def test_of_a_file_with_dbmates_marks_only_the_way_up_counts() -> None:
    up = "-- migrate:up\ncreate table t (id int);\n"
    down = up + "\n-- migrate:down\ndrop table t;\n"
    assert split(down, "0001_x.sql") == split(up, "0001_x.sql")
    assert len(split(down, "0001_x.sql")) == 1
    assert tokens(down) == tokens(up)


@pytest.mark.parametrize(
    ("text", "stalls"),
    [("vacuum (full) t", True), ("vacuum full t", True), ("vacuum t", False), ("cluster", True),
     ("reindex schema s", True), ("reindex table concurrently x", False),
     ("create index concurrently a on b (c)", False), ("do $$ begin commit; end $$", False)],
)  # fmt: skip
def test_what_others_would_queue_up_behind_is_known(text: str, stalls: bool) -> None:
    assert alone.stalls(postgast.parse(text).stmts[0].stmt) is stalls
