"""After a failure: which applied migrations the release that serves again may not live with, told and written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.database import target
from agent.host.files import read_json, write_json
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.operations.step import Context
from agent.operations.steps import migrate
from agent.protocol import EventKind
from agent.releases import records

RELEASE = "r-0123456789ab"


class Journal:
    """Notes of steps, and the warnings that were given."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.warned: list[dict[str, Any]] = []

    def emit(self, kind: EventKind, data: dict[str, Any]) -> None:
        assert kind == "warning"
        self.warned.append(data)

    def note(self, step: str, facts: dict[str, Any]) -> None:
        self.kept.setdefault(step, {}).update(facts)

    def notes(self, step: str) -> dict[str, Any]:
        return dict(self.kept.get(step, {}))


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def ctx(tmp_path: Path, journal: Journal) -> Context:
    made = Context("op-1", Target("shop"), Paths(tmp_path), Settings(), {}, None, journal, step="migrate")
    folder = made.home.release(RELEASE)
    folder.mkdir(parents=True)
    write_json(folder / records.RECORD, {"release": RELEASE, "deployed": "2026-01-01", "breaking": ["0001_a"]})
    write_json(made.home.current, {"release": RELEASE, "previous": None, "status": "HEALTHY", "since": "",
                                   "operation": ""})  # fmt: skip
    return made


def applied(journal: Journal, *names: str) -> None:
    journal.note("migrate", {"result": {"migrations": {"applied": list(names), "pending": []}}})


@pytest.mark.parametrize("step", ["preflight", "guard"])
def test_what_the_old_release_may_not_live_with_is_told_once_and_remembered(
    ctx: Context, journal: Journal, step: str
) -> None:
    journal.note(step, {"breaking": ["0013_rename", "0014_drop_old"]})
    applied(journal, "0012_add", "0013_rename")
    for _ in range(2):
        assert migrate.Migrate().undo(ctx) == ""
    (warning,) = journal.warned
    assert warning["id"] == "guard.stands"
    assert warning["params"]["files"] == "0013_rename.sql"
    assert RELEASE in warning["message"]
    assert "--app shop" in warning["remedy"]
    record = read_json(ctx.home.release(RELEASE) / records.RECORD)
    assert record["breaking"] == ["0001_a", "0013_rename"], "a later rollback has to know it"


def test_what_a_dead_worker_committed_counts_as_well(
    ctx: Context, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.note("preflight", {"breaking": ["0014_drop_old"]})
    monkeypatch.setattr(target, "dsn", lambda _home: object())
    monkeypatch.setattr(migrate, "_committed", lambda _dsn, _operation: ["0014_drop_old"])
    assert "0014_drop_old" in migrate.Migrate().undo(ctx)
    assert [warning["id"] for warning in journal.warned] == ["guard.stands"]


@pytest.mark.parametrize("names", [[], ["0012_add"]])
def test_nothing_is_told_of_what_every_release_can_live_with(ctx: Context, journal: Journal, names: list[str]) -> None:
    journal.note("preflight", {"breaking": ["0014_drop_old"]})
    applied(journal, *names)
    migrate.Migrate().undo(ctx)
    assert journal.warned == []


def test_nothing_is_told_where_the_app_was_closed_and_its_data_come_back(ctx: Context, journal: Journal) -> None:
    journal.note("preflight", {"breaking": ["0013_rename", "0014_drop_old"], "maintenance": ["0013_rename"]})
    applied(journal, "0013_rename", "0014_drop_old")
    migrate.Migrate().undo(ctx)
    assert journal.warned == []
    assert read_json(ctx.home.release(RELEASE) / records.RECORD)["breaking"] == ["0001_a"]


def test_nothing_is_told_where_no_release_serves(ctx: Context, journal: Journal) -> None:
    ctx.home.current.unlink()
    journal.note("preflight", {"breaking": ["0014_drop_old"]})
    applied(journal, "0014_drop_old")
    migrate.Migrate().undo(ctx)
    assert journal.warned == []


def test_the_warning_has_both_languages() -> None:
    error = IkomaError("guard.stands", files="0014_drop_old.sql", release=RELEASE)
    assert "survivre" in error.message("fr")
    assert error.message("en") != error.message("fr")
