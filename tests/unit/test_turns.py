"""Builds of one app on one machine take turns, and never through a folder that somebody else has put there."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest

from bridge.images.turns import turn


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_second_waits_says_so_and_knows_it() -> None:
    began, told, ends = threading.Event(), threading.Event(), list[bool]()

    def second() -> None:
        began.wait(10)
        with turn("registry/shop", told.set) as waited:
            ends.append(waited)

    other = threading.Thread(target=second)
    other.start()
    with turn("registry/shop", pytest.fail) as waited:
        assert not waited
        with turn("registry/another", pytest.fail) as free:
            assert not free
        began.set()
        assert told.wait(10)
        assert ends == []
    other.join(10)
    assert ends == [True]


def test_a_folder_that_is_not_ours_is_not_used(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with turn("registry/shop", pytest.fail):
        (made,) = temporary.iterdir()
    assert made.stat().st_mode & 0o777 == 0o700
    elsewhere = temporary / "elsewhere"
    made.rename(elsewhere)
    made.symlink_to(elsewhere)
    before = list(elsewhere.iterdir())
    with turn("registry/other", pytest.fail) as waited:
        assert not waited
    assert list(elsewhere.iterdir()) == before
