"""Whether an earlier release can live with a database that was migrated since."""

from __future__ import annotations

import pytest

from agent.releases.backward import Standing, refusal, restore_point, standing

ONE, TWO, THREE = "0001_init", "0002_more", "0003_less"


@pytest.mark.parametrize(
    ("wanted", "applied", "breaking", "found", "error"),
    [
        ([ONE], [ONE], [], Standing(), None),
        ([ONE], [ONE, TWO], [], Standing((TWO,)), None),
        ([ONE], [ONE, TWO, THREE], [THREE], Standing((TWO, THREE), (THREE,)), "rollback.schema"),
        ([ONE, TWO, THREE], [ONE, TWO, THREE], [THREE], Standing(), None),
        ([ONE], [ONE, TWO], None, Standing((TWO,), (TWO,)), "rollback.schema"),
        ([ONE, TWO], [ONE], [], Standing(lacking=(TWO,)), "rollback.lacking"),
        ([], [ONE], [], Standing((ONE,)), None),
    ],
)
def test_a_release_and_a_database_are_compared(
    wanted: list[str], applied: list[str], breaking: list[str] | None, found: Standing, error: str | None
) -> None:
    assert standing(wanted, applied, breaking) == found
    refused = refusal("r-0123456789ab", found)
    assert (refused.id if refused else None) == error


def test_the_restore_point_is_the_one_before_the_first_unknown_migration() -> None:
    latest_first = [
        {"migrations": [ONE, TWO, THREE], "restore_point": "before-three"},
        {"migrations": [ONE, TWO], "restore_point": "before-two"},
        {"migrations": [ONE], "restore_point": "before-one"},
    ]
    assert restore_point([ONE], latest_first) == "before-two"
    assert restore_point([ONE, TWO], latest_first) == "before-three"
    assert restore_point([ONE, TWO, THREE], latest_first) is None
