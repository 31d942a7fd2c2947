"""What the agent keeps of the past, and for how long."""

import os
import sqlite3
from pathlib import Path

import pytest

from agent.host import audit, history
from agent.host.audit import Entry
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.names import Target, new_operation
from agent.operations import retention
from agent.operations.journal import Journal, Operation


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path)
    for folder in (found.log, found.locks):
        folder.mkdir(parents=True)
    return found


def ran(paths: Paths, app: str, ended: str | None) -> str:
    operation = Operation(new_operation(), "deploy.up", Target(app), "ci", "builder")
    with Journal(paths) as journal:
        journal.create(operation, {})
        if ended:
            journal.finish(operation.id, "DONE", {"status": "DONE"})
    if ended:
        db = sqlite3.connect(paths.journal)
        db.execute("UPDATE operations SET ended = ? WHERE id = ?", (ended, operation.id))
        db.commit()
        db.close()
    return operation.id


def test_old_operations_go_but_the_latest_of_each_app_and_what_has_not_ended(paths: Paths) -> None:
    old = [ran(paths, "shop", "2020-01-01T00:00:00.000Z") for _ in range(4)]
    other = ran(paths, "blog", "2020-01-01T00:00:00.000Z")
    running = ran(paths, "shop", None)
    with Journal(paths) as journal:
        assert journal.forget("2021-01-01T00:00:00.000Z", keep=3) == 2
        left = {one.id for one in journal.latest("shop")}
        assert left == {*old[2:], running}
        assert journal.events(old[0]) == []
        assert journal.find(other) is not None


def test_a_round_puts_away_what_is_too_large_and_takes_away_what_is_too_old(paths: Paths) -> None:
    settings = Settings(audit_mb=0, log_mb=0, audit_days=30)
    audit.append(paths, Entry("ci", "builder", "ssh", "deploy.up", "ok"))
    (paths.log / "agent.log").write_text("something\n")
    retention.tidy(paths, settings, every=0)
    assert (paths.log / "agent.log.1").read_text() == "something\n"
    [old] = history.files(paths)
    assert old.name == "audit-000000000001.jsonl.gz"
    os.utime(old, (0, 0))
    retention.tidy(paths, settings, every=0)
    assert history.verify(paths).ok
    assert [line["capability"] for line in history.query(paths, lambda line: True, 9)] == [history.RETIRED]


def test_a_round_is_made_once_in_a_while(paths: Paths) -> None:
    retention.tidy(paths, Settings())
    audit.append(paths, Entry("ci", "builder", "ssh", "deploy.up", "ok"))
    retention.tidy(paths, Settings(audit_mb=0))
    assert history.files(paths) == [paths.audit]
    assert not (paths.log / "agent.log").exists()
