"""A release's files against a database's ledger, as data."""

from __future__ import annotations

import pytest

from agent.model.migrations import Applied, Comparison, Migration, compare, in_order, set_problems

A, B, C, D = "0001_a", "0002_b", "0003_c", "0010_d"


def files(*names: str, edited: str = "") -> list[Migration]:
    return [Migration(f"{name}.sql", "edited" if name == edited else f"hash of {name}") for name in names]


def rows(*names: str) -> list[Applied]:
    return [Applied(name.partition("_")[0], name, f"hash of {name}") for name in names]


CASES = {
    "a new database": (files(A, B), rows(), Comparison(pending=(f"{A}.sql", f"{B}.sql"))),
    "nothing to do": (files(A, B), rows(A, B), Comparison(applied=(A, B))),
    "the order of rows does not matter": (files(A, B), rows(B, A), Comparison(applied=(A, B))),
    "one more": (files(A, B, D), rows(A, B), Comparison(pending=(f"{D}.sql",), applied=(A, B))),
    "edited": (files(A, B, edited=A), rows(A, B), Comparison(applied=(B,), edited=(f"{A}.sql",))),
    "late": (files(A, B, C), rows(A, C), Comparison(applied=(A, C), out_of_order=(f"{B}.sql",))),
    "removed": (files(A, C), rows(A, B), Comparison(pending=(f"{C}.sql",), applied=(A,), missing=(B,))),
    "the database is newer": (files(A), rows(A, B), Comparison(applied=(A,), ahead=(B,))),
    "renamed without a change": (
        [Migration("0001_other.sql", f"hash of {A}")], rows(A), Comparison(applied=("0001_other",)),
    ),
    "dates follow numbers": (
        files(D, "20260102030405_e"), rows(D), Comparison(pending=("20260102030405_e.sql",), applied=(D,)),
    ),
    "all at once": (
        files(A, B, D, edited=A), rows(A, C),
        Comparison(pending=(f"{D}.sql",), edited=(f"{A}.sql",), out_of_order=(f"{B}.sql",), missing=(C,)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_release_is_compared_with_a_ledger(case: str) -> None:
    given, ledger, expected = CASES[case]
    assert compare(given, ledger) == expected


def test_every_problem_names_its_files_in_both_languages() -> None:
    given, ledger, _ = CASES["all at once"]
    problems = {problem.id: problem for problem in compare(given, ledger).problems()}
    assert set(problems) == {"migration.edited", "migration.missing", "migration.out_of_order"}
    assert f"{A}.sql" in problems["migration.edited"].message("en")
    assert C in problems["migration.missing"].message("fr")
    assert all(problem.remedy(lang) for problem in problems.values() for lang in ("en", "fr"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["0001_a.sql", "0003_c.sql"], []),
        (["0001_a.sql", "0001_b.sql"], ["migration.duplicate"]),
        (["0001_a.sql", "00001_a.sql"], ["migration.duplicate"]),
        (["a.sql", "1.sql"], ["migration.bad_name"] * 2),
        (["0_init.sql", "20240414161707_basejump-setup.sql", "20201110175414000000_relation.sql", "0001_A.sql"], []),
        (["0001_.sql", "0002-b.sql", "../0003_c.sql", "0004_$(id).sql", "0005_e.sql\n"], ["migration.bad_name"] * 5),
    ],
)
def test_a_folder_is_checked_as_a_set(names: list[str], expected: list[str]) -> None:
    assert [problem.id for problem in set_problems(names)] == expected


def test_files_are_ordered_by_number_not_by_letters() -> None:
    assert in_order(["20260101000000_d.sql", "0010_b.sql", "00009_a.sql"]) == [
        "00009_a.sql", "0010_b.sql", "20260101000000_d.sql",
    ]  # fmt: skip
