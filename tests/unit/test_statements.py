"""Migration files as PostgreSQL's grammar sees them."""

from __future__ import annotations

import pytest

from agent.database import statements
from agent.model.errors import IkomaError


def test_statements_keep_their_text_and_the_line_of_their_first_word() -> None:
    text = (
        "-- é; not a statement\ncreate table t (i int);\n\n/* ; */ select 'a;b',\n  $x$;$x$;\ndo $$ begin null; end $$"
    )
    found = statements.split(text, "f.sql")
    assert [item.line for item in found] == [2, 4, 6]
    assert [item.text for item in found] == [
        "create table t (i int)", "select 'a;b',\n  $x$;$x$", "do $$ begin null; end $$",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "-- only a comment\n", ";;", "savepoint a; release a;"])
def test_a_file_may_hold_little(text: str) -> None:
    assert len(statements.split(text, "f.sql")) in (0, 2)


@pytest.mark.parametrize(
    "word",
    ["BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT", "COMMIT AND CHAIN", "PREPARE TRANSACTION 'x'"],
)
def test_control_of_the_transaction_is_refused_with_its_line(word: str) -> None:
    with pytest.raises(IkomaError) as caught:
        statements.split(f"select 1;\n\n  {word};\n", "f.sql")
    assert caught.value.id == "migration.transaction_control"
    assert "f.sql:3:" in caught.value.message("en")


@pytest.mark.parametrize("text", ["do $$ begin perform 1; end $$", "select 'commit'", "-- commit;\nselect 1"])
def test_words_that_only_look_like_it_are_no_control_of_the_transaction(text: str) -> None:
    assert len(statements.split(text, "f.sql")) == 1


@pytest.mark.parametrize(
    ("text", "expected", "line"),
    [
        ("select 1;\nselec 2;", "migration.syntax", 2),
        ("select 'é';\n\nfoo;", "migration.syntax", 3),
        ("\\i abc\nselect 1;", "migration.meta_command", 1),
        ("select 1;\nselect 2 as two \\gset\n", "migration.meta_command", 2),
        ("create table t (a int, b text);\ncopy t from stdin;\n1\tx\n", "migration.copy_data", 2),
        ("create table t (a int);\n\ncopy t from stdin", "migration.copy_data", 3),
        ("create table t (a int);\ncopy t to stdout;\n", "migration.copy_data", 2),
        ("select 1;\nselect 'never closed;\n", "migration.syntax", 2),
    ],
)
def test_what_is_no_sql_is_named_by_kind_and_line(text: str, expected: str, line: int) -> None:
    with pytest.raises(IkomaError) as caught:
        statements.split(text, "f.sql")
    assert (caught.value.id, caught.value.params["line"]) == (expected, line)


@pytest.mark.parametrize(("raw", "line"), [(b"select 1;\n\xff", 2), (b"\x00", 1), ("é".encode("latin-1"), 1)])
def test_a_file_that_is_no_text_is_refused_with_its_line(raw: bytes, line: int) -> None:
    with pytest.raises(IkomaError) as caught:
        statements.decode(raw, "f.sql")
    assert (caught.value.id, caught.value.params["line"]) == ("migration.encoding", line)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert statements.decode(b"\xef\xbb\xbfselect 1", "f.sql") == "select 1"


def test_an_excerpt_is_short_and_ends_before_a_password() -> None:
    long = statements.Statement("select " + "x, " * 200, 1)
    assert len(long.excerpt) == statements.EXCERPT
    assert "Hunter2" not in statements.Statement("alter role app password 'Hunter2'", 1).excerpt


def test_the_frame_of_a_dump_is_left_out_and_lines_keep_their_numbers() -> None:
    (found,) = statements.split("\\restrict aB3\r\n\r\nselect 1;\n\\unrestrict aB3\n", "0001_dump.sql")
    assert (found.text, found.line) == ("select 1", 3)
    assert statements.tokens("\\restrict aB3\nselect 1;\n\\unrestrict aB3\n") == statements.tokens("select 1;")


ROWS = "1\tit's; select 1;\n2\tselect 1;\n-- 3\t'\n\\\\.\t$$\n"


@pytest.mark.parametrize("options", ["", " with (delimiter ';')"])
@pytest.mark.parametrize("end", ["\\.\n", "\\.\r\n"])
def test_rows_of_a_dump_are_kept_apart_and_lines_keep_their_numbers(options: str, end: str) -> None:
    copy = f"COPY public.t (a, b) FROM stdin{options};"
    text = f"create table t (a int, b text);\n{copy}\n{ROWS}{end}\n{copy}\n{end}select 2;\n"
    found = statements.split(text, "0001_dump.sql")
    assert [(item.text[:6], item.line) for item in found] == [
        ("create", 1),
        ("COPY p", 2),
        ("COPY p", 9),
        ("select", 11),
    ]
    assert [item.rows for item in found] == [None, ROWS.encode(), b"", None]


def test_words_that_only_look_like_a_copy_cut_nothing() -> None:
    text = (
        "-- copy t from stdin;\nselect $$\ncopy t from stdin;\n1\n\\.\n$$;\ncopy t from program 'x stdin';\nselect 1;\n"
    )
    assert [item.rows for item in statements.split(text, "f.sql")] == [None, None, None]


def test_other_rows_are_another_file_and_other_comments_are_not() -> None:
    text = "copy t from stdin;\n1\tx\n\\.\n"
    assert statements.tokens(text) == statements.tokens("-- why\n" + text)
    assert statements.tokens(text) != statements.tokens(text.replace("1\tx", "1\ty"))
