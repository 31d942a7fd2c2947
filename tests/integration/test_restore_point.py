"""The step that saves the database before a migration, against a real PostgreSQL: when, what, at which cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agent.capabilities import db_backup, db_restore
from agent.database.backup import restore, source, store
from agent.database.connect import connect
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome
from agent.operations.steps import restore_point
from agent.operations.steps.migrate import Migrate
from agent.operations.steps.restore_point import RestorePoint
from tests.integration.database_host import FILES, Host, host, provisioned

__all__ = ["host"]

MORE = FILES | {"0003_more.sql": "alter table visits add column day date;\n"}
LESS = FILES | {"0003_less.sql": "alter table visits drop column n;\n"}


@pytest.fixture
def live(host: Host) -> Iterator[Host]:
    """The first files are applied, and there are rows."""
    Migrate().apply(provisioned(host))
    with connect(host.dsn(), "tests") as connection:
        connection.execute("insert into visits select generate_series(1, 10)")
    host.notebook.noted.clear()
    yield host
    with connect(source.administrator(host.settings, host.dsn()) or host.dsn(), "tests") as admin:
        for item in admin.execute("select datname from pg_database where datname like 'suite_staging_%'").fetchall():
            admin.execute(f'drop database "{item[0]}" with (force)'.encode())


def context(host: Host, files: dict[str, str], *accept: str, **policy: Any) -> Context:
    ctx = host.context(files, backups=policy)
    ctx.args["accept"] = list(accept)
    ctx.step = RestorePoint.name
    return ctx


def backups(host: Host) -> list[store.Backup]:
    return store.all_of(host.paths.backups / host.target.slug)


def taken(host: Host, files: dict[str, str], *accept: str, **policy: Any) -> Outcome:
    ctx = context(host, files, *accept, **policy)
    assert restore_point.needed(ctx)
    return RestorePoint().apply(ctx)


def test_there_is_something_to_save_only_when_something_is_pending_for_a_database_that_exists(host: Host) -> None:
    assert not restore_point.needed(host.context())
    ctx = provisioned(host)
    assert restore_point.needed(ctx)
    Migrate().apply(ctx)
    host.notebook.noted.clear()
    assert not restore_point.needed(host.context())
    assert restore_point.needed(host.context(MORE))


def test_the_whole_database_is_saved_tried_and_named(live: Host) -> None:
    outcome = taken(live, MORE, verify="every")
    made = backups(live)[0]
    assert outcome.result["restore_point"]["name"] == made.name == live.notebook.noted["restore-point"]["name"]
    assert outcome.result["restore_point"]["verified"]
    assert "tables and 10 rows equal" in outcome.detail
    assert made.migrations == ["0001_app", "0002_public"]
    assert live.notebook.progress()[-1].startswith("Restore point: about ")


def test_beyond_its_budget_nothing_is_begun(live: Host) -> None:
    ctx = context(live, MORE, max_gb=0.0001)
    found = restore_point.problems(ctx, live.bundle(MORE, backups={"max_gb": 0.0001})[1])
    assert [problem.id for problem in found] == ["backup.over_gb"]
    with pytest.raises(IkomaError) as refused:
        RestorePoint().apply(ctx)
    assert refused.value.id == "backup.over_gb"
    assert backups(live) == []


def test_only_what_surely_adds_may_go_without(live: Host) -> None:
    outcome = taken(live, MORE, "restore-point:skip", max_gb=0.0001)
    assert (outcome.status, outcome.result["restore_point"]["name"]) == ("skipped", "skipped")
    assert [data["id"] for kind, data in live.notebook.events if kind == "warning"] == ["backup.skipped"]
    live.notebook.noted.clear()
    with pytest.raises(IkomaError) as refused:
        taken(live, LESS, "restore-point:skip")
    assert refused.value.id == "backup.not_additive"
    assert "0003_less.sql:1" in refused.value.message("en")


def test_the_touched_tables_alone_can_be_saved_and_are_no_backup_to_restore(live: Host) -> None:
    taken(live, LESS, "restore-point:tables", max_gb=0.0001)
    made = backups(live)[0]
    assert made.tables == ["public.visits"]
    with pytest.raises(IkomaError) as refused:
        restore.restore(source.of(live.context(), live.target, "op-1"), made, "all", lambda **_: None, lambda *_: None)
    assert refused.value.id == "backup.partial"


def test_a_snapshot_made_elsewhere_is_recorded_by_its_name(live: Host) -> None:
    outcome = taken(live, LESS, "restore-point:snapshot:zfs@monday", max_gb=0.0001)
    assert outcome.result["restore_point"]["name"] == "snapshot:zfs@monday"
    assert backups(live) == []


def test_a_point_in_a_log_that_nobody_archives_is_refused(live: Host) -> None:
    with pytest.raises(IkomaError) as refused:
        taken(live, LESS, "restore-point:wal", max_gb=0.0001)
    assert refused.value.id == "backup.no_wal"
    assert "does not archive its log" in refused.value.message("en")


def test_restore_points_are_thinned_and_those_somebody_made_stay(live: Host) -> None:
    ctx = live.context()
    ctx.args["backupName"] = "mine"
    ctx.step = "backup"
    db_backup.steps(ctx)[0].apply(ctx)
    for number in range(2):
        ctx = context(live, MORE, keep=1)
        ctx.operation = f"op-{number}"
        RestorePoint().apply(ctx)
    found = backups(live)
    assert sorted(item.kind for item in found) == ["manual", "restore-point"]
    assert sorted(item.operation for item in found if item.kind == "restore-point") == ["op-1"]


def test_a_name_that_is_a_path_or_unknown_is_refused_before_an_operation_exists(live: Host) -> None:
    for name, error in (("../x", "backup.name"), ("absent", "backup.unknown"), (None, "wire.missing_argument")):
        with pytest.raises(IkomaError) as refused:
            db_restore.check(live.call(**({"backupName": name} if name else {})))
        assert refused.value.id == error
