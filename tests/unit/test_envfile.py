"""Environment files: what is kept, what is changed, what is read. That compose agrees is tested with compose."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.host import envfile
from agent.model.errors import Misuse

WRITTEN_BY_HAND = """# the app
export A=one   # why
B = "two\\nlines"

C='three \\'quoted\\' $A'
D: four
not an assignment
E="open
A=last counts
"""


def test_a_file_written_by_hand_is_read_as_compose_reads_it() -> None:
    assert envfile.values(WRITTEN_BY_HAND) == {
        "A": "last counts", "B": "two\nlines", "C": "three 'quoted' $A", "D": "four", "E": '"open',
    }  # fmt: skip


def test_the_pieces_of_a_file_are_the_file() -> None:
    assert "".join(entry.raw for entry in envfile.parse(WRITTEN_BY_HAND)) == WRITTEN_BY_HAND


def test_a_change_leaves_every_other_line_as_it_was() -> None:
    text = "# head\nA=1\n\nB=2 # note\nC=3"
    assert envfile.merged(text, {"A": "x y", "D": "4"}, ["B"]) == "# head\nA='x y'\n\nC=3\nD=4\n"


def test_a_key_that_stands_twice_is_written_once() -> None:
    assert envfile.merged("A=1\nB=2\nA=3\n", {"A": "4"}) == "A=4\nB=2\n"


@given(st.dictionaries(st.from_regex(envfile.KEY, fullmatch=True), st.text(st.characters(exclude_categories=["Cs"]))))
def test_whatever_is_written_is_read_back(values: dict[str, str]) -> None:
    assert envfile.values(envfile.merged("# head\n", values)) == values


def test_a_file_is_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "target" / "app.env"
    envfile.write(path, {"A": "1"})
    first = path.stat().st_ino
    envfile.write(path, {"B": "2"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_ino != first
    assert [item.name for item in path.parent.iterdir()] == ["app.env"]


@pytest.mark.parametrize("key", ["", "1A", "A-B", "A B", "A=B", "A\n", "É"])
def test_a_bad_name_is_refused(key: str) -> None:
    with pytest.raises(Misuse) as caught:
        envfile.check(key, "x")
    assert caught.value.id == "env.key"


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 5, None, "x" * (envfile.MAX_VALUE + 1)])
def test_a_value_that_cannot_be_stored_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(Misuse) as caught:
        envfile.check("KEY", value)
    assert caught.value.id == "env.value"


def test_a_fingerprint_depends_on_key_name_and_value() -> None:
    parts = [(b"k", "A", "1"), (b"l", "A", "1"), (b"k", "B", "1"), (b"k", "A", "2"), (b"k", "A\0", "1")]
    assert len({envfile.fingerprint(*part) for part in parts}) == len(parts)
