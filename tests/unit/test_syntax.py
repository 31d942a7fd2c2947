"""Statements that are nested more deeply than the tree can hold are seen as what nobody can look into, and no more."""

from __future__ import annotations

import postgast
import pytest

from agent.database import statements, syntax
from agent.database.compatibility import incompatible
from agent.database.guard import judge
from agent.model.errors import IkomaError
from agent.model.guardrails import Known

DEEP = "select " + " || ".join(["'é'"] * 400)
FILE = f"-- what is around it stays known\ncreate table a (b int);\n\n{DEEP};\n/* é */ drop table t;\nvacuum a"


def test_a_statement_that_is_nested_too_deeply_keeps_its_text_and_its_neighbours_their_kind() -> None:
    found = statements.split(FILE, "0001_x.sql")
    assert [(item.line, item.alone, item.plain) for item in found] == [
        (2, False, True), (4, False, False), (5, False, True), (6, True, False),
    ]  # fmt: skip
    assert found[1].text == DEEP
    assert found[2].text == "drop table t"
    shallow = FILE.replace(DEEP, "select 1")
    assert [item.text for item in statements.split(shallow, "x")][2:] == [item.text for item in found][2:]


def test_it_counts_as_what_is_not_sure() -> None:
    texts = [("0001_x.sql", DEEP)]
    assert len(list(incompatible(texts))) == 1
    running = Known({}, True, frozenset(), frozenset({"public"}))
    assert [item.rule for item in judge.judge(texts, running)] == ["dynamic-sql"]


def test_what_is_no_sql_is_refused_with_its_line_even_behind_it() -> None:
    with pytest.raises(IkomaError) as refused:
        statements.split(f"{DEEP};\nselect from from;", "0001_x.sql")
    assert (refused.value.id, refused.value.params["line"]) == ("migration.syntax", 2)
    with pytest.raises(postgast.PgQueryError):
        syntax.parse("select from from")
