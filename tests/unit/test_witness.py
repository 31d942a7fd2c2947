"""What two dumps tell differently."""

from __future__ import annotations

import pytest

from agent.database.fingerprint.model import Key
from agent.database.proof.witness import differences, objects

HEAD = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n\n"
TAIL = "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n"


def entry(name: str, kind: str, schema: str, sql: str, owner: str = "-") -> str:
    return f"--\n-- Name: {name}; Type: {kind}; Schema: {schema}; Owner: {owner}\n--\n\n{sql}\n\n\n"


TABLE = entry("notes", "TABLE", "app", "CREATE TABLE app.notes (\n    id integer -- a note;\n);")
INDEX = entry("notes_id", "INDEX", "app", "CREATE INDEX notes_id ON app.notes USING btree (id);")
SCHEMA = entry("app", "SCHEMA", "-", "CREATE SCHEMA app;")
BODY = entry("f()", "FUNCTION", "app", "CREATE FUNCTION app.f() RETURNS text AS $$\n-- says it\nselect ''\n$$;")


def test_a_dump_is_read_object_by_object() -> None:
    found = objects(HEAD + SCHEMA + "SET default_tablespace = '';\n\n" + TABLE + BODY + TAIL)
    assert found[Key("schema", "", "app")] == "CREATE SCHEMA app;"
    assert found[Key("table", "app", "notes")].startswith("CREATE TABLE app.notes (\n    id integer -- a note")
    assert "-- says it" in found[Key("function", "app", "f()")]
    assert len(found) == 3


@pytest.mark.parametrize(
    "other",
    [
        HEAD.replace("abc", "xyz") + SCHEMA + TABLE + BODY + INDEX + TAIL.replace("abc", "xyz"),
        HEAD + SCHEMA + INDEX + "SET default_table_access_method = heap;\n\n" + TABLE + BODY + TAIL,
        HEAD + SCHEMA + TABLE + BODY + INDEX.replace("Owner: -", "Owner: anna") + TAIL,
    ],
)
def test_order_tokens_and_owners_make_no_difference(other: str) -> None:
    assert list(differences(HEAD + SCHEMA + TABLE + BODY + INDEX + TAIL, other)) == []


def test_what_one_side_has_alone_or_otherwise_is_told_with_its_statement() -> None:
    live = HEAD + SCHEMA + TABLE + INDEX + TAIL
    rebuilt = HEAD + SCHEMA + TABLE.replace("integer", "bigint") + BODY + TAIL
    function, index, table = list(differences(live, rebuilt))
    assert (function.live, index.rebuilt) == (None, None)
    assert function.sql == "-- only the rebuilt database has it"
    assert index.sql == "CREATE INDEX notes_id ON app.notes USING btree (id);"
    assert table.to_json()["kind"] == "table"
    assert "bigint" in str(table.to_json()["rebuilt"])
    assert "integer" in str(table.to_json()["live"])


def test_an_empty_dump_is_the_same_as_another() -> None:
    assert list(differences(HEAD + TAIL, "")) == []


def test_two_objects_of_one_name_are_both_told() -> None:
    twice = entry("t r", "POLICY", "app", "CREATE POLICY r ON app.t;")
    (told,) = differences(HEAD + twice + twice + TAIL, HEAD + twice + TAIL)
    assert told.key == Key("policy", "app", "t r")
