"""The journal: what is committed stays, in order, whoever writes beside."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agent.host import ballast
from agent.host.paths import Paths
from agent.model.errors import IkomaError
from agent.model.names import Target, new_operation
from agent.operations.journal import Journal, Operation


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path)
    found.locks.mkdir(parents=True)
    return found


def operation(app: str = "shop", **more: Any) -> Operation:
    return Operation(new_operation(), "test.deploy", Target(app), "ci", "builder", **more)


def test_an_operation_is_found_as_it_was_written(paths: Paths) -> None:
    one = operation(client={"run": "1"}, args={"release": "r-1"}, body_hash="h", on_busy="refuse", lang="fr")
    with Journal(paths) as journal:
        assert journal.create(one, {})
        found = journal.find(one.id)
    assert found is not None
    assert (found.client, found.args, found.body_hash, found.on_busy, found.lang, found.status) == (
        {"run": "1"}, {"release": "r-1"}, "h", "refuse", "fr", "PENDING",
    )  # fmt: skip


def test_an_operation_is_created_once(paths: Paths) -> None:
    one = operation()
    with Journal(paths) as journal:
        assert journal.create(one, {})
        assert not journal.create(one, {})
        assert len(journal.events(one.id)) == 1


def test_an_operation_ends_once_whoever_ends_it(paths: Paths) -> None:
    one = operation()
    with Journal(paths) as journal:
        journal.create(one, {})
        journal.finish(one.id, "HEALTHY", {"status": "HEALTHY"})
        journal.finish(one.id, "INTERRUPTED", {"status": "INTERRUPTED"})
        assert [event.kind for event in journal.events(one.id)] == ["accepted", "end"]
        found = journal.find(one.id)
    assert found is not None
    assert found.status == "HEALTHY"


def test_events_are_numbered_without_gaps_for_each_operation(paths: Paths) -> None:
    first, second = operation(), operation("blog")
    with Journal(paths) as journal:
        for one in (first, second):
            journal.create(one, {})
        for number in range(5):
            journal.append(first.id, "progress", {"text": str(number)})
            journal.append(second.id, "progress", {"text": str(number)})
        for one in (first, second):
            assert [event.seq for event in journal.events(one.id)] == [1, 2, 3, 4, 5, 6]
        assert [event.seq for event in journal.events(first.id, after=4)] == [5, 6]


def test_notes_are_merged_and_outlive_the_step(paths: Paths) -> None:
    one = operation()
    with Journal(paths) as journal:
        journal.create(one, {})
        journal.step(one.id, {"step": "roll-out", "status": "started"}, position=3)
        journal.note(one.id, "roll-out", {"old": ["a"], "phase": "starting"})
        journal.note(one.id, "roll-out", {"phase": "switching"})
        journal.step(one.id, {"step": "roll-out", "status": "done", "seconds": 1.5, "detail": "d"}, {"x": 1}, 3)
    with Journal(paths) as journal:
        assert journal.notes(one.id, "roll-out") == {"old": ["a"], "phase": "switching"}
        (row,) = journal.steps(one.id)
    assert (row.name, row.status, row.seconds, row.detail, row.result) == ("roll-out", "done", 1.5, "d", {"x": 1})


def test_steps_come_in_their_order_whatever_their_names(paths: Paths) -> None:
    one = operation()
    with Journal(paths) as journal:
        journal.create(one, {})
        for position, step in enumerate(("preflight", "migrate", "commit", "a-last-one")):
            journal.step(one.id, {"step": step, "status": "started"}, position=position)
        journal.step(one.id, {"step": "migrate", "status": "undone", "detail": ""})
        assert [row.name for row in journal.steps(one.id)] == ["preflight", "migrate", "commit", "a-last-one"]


def test_writers_at_the_same_time_do_not_fail(paths: Paths) -> None:
    with ProcessPoolExecutor(4) as pool:
        assert list(pool.map(_write_many, [paths] * 4, range(4))) == [31] * 4
    db = sqlite3.connect(paths.journal)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def _write_many(paths: Paths, number: int) -> int:
    one = operation(f"app-{number}")
    with Journal(paths) as journal:
        journal.create(one, {})
        for _ in range(30):
            journal.append(one.id, "progress", {})
        return len(journal.events(one.id))


def test_commits_are_durable_before_they_are_shown(paths: Paths) -> None:
    with Journal(paths) as journal:
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_damaged_journal_is_named(paths: Paths) -> None:
    paths.journal.mkdir(parents=True)
    with pytest.raises(IkomaError) as caught:
        Journal(paths)
    assert caught.value.id == "operation.journal"


def test_the_ballast_is_laid_down_and_given_up(paths: Paths) -> None:
    assert ballast.keep(paths, 1)
    assert ballast.path(paths).stat().st_blocks * 512 >= 1024 * 1024
    assert ballast.free(paths)
    assert not ballast.free(paths)
    assert not ballast.keep(paths, 1 << 40)
