"""What a plan says of a target's database, from the manifest alone, against a real PostgreSQL."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from agent.database import forecast, ledger, target
from agent.database.connect import connect
from agent.host import envfile
from agent.host.paths import Paths, TargetPaths
from agent.host.settings import Settings
from agent.model.dsn import Dsn
from agent.model.guardrails import breaking
from agent.model.names import Target
from agent.model.release import Release, ReleaseMigration
from tests.integration.postgres import Cluster

IMAGE = "registry.example/suite/web@sha256:" + "0" * 64
APPLIED = [("0001_a", "a"), ("0002_b", "b"), ("0003_c", "c")]
SUITE = Target("suite", "production")


def release(*files: tuple[str, str]) -> Release:
    return Release(
        app="suite", environment="production", platform="linux/amd64", compose={"services": {"web": {"image": IMAGE}}},
        services={"web": {"image": IMAGE, "kind": "routed"}},
        migrations=[ReleaseMigration(file=f"{name}.sql", sha256=letter * 64) for name, letter in files],
    )  # fmt: skip


THREE = release(*APPLIED)


@pytest.fixture
def home(tmp_path: Path) -> TargetPaths:
    found = Paths(tmp_path).target(SUITE)
    found.base.mkdir(parents=True)
    return found


def database(home: TargetPaths, cluster: Cluster, *applied: tuple[str, str]) -> Dsn:
    """Give the target a database in which these were applied: (name, letter of its checksum)."""
    dsn = cluster.database()
    envfile.write(home.agent_env, {target.DSN: dsn.url().reveal()})
    with connect(dsn, "tests") as connection:
        if applied:
            ledger.ensure(connection)
        for name, letter in applied:
            version = name.partition("_")[0]
            connection.execute(ledger.record(ledger.Entry(version, name, letter * 64, 1, "r-1", "op-1")))
    return dsn


def seen(home: TargetPaths, asked: Release = THREE, *, provision: bool = False) -> tuple[list[str], list[str]]:
    found = forecast.of(home, Settings(provision=provision), asked)
    return list(found.pending), [problem.id for problem in found.problems]


def test_what_the_ledger_lacks_is_pending(home: TargetPaths, cluster: Cluster) -> None:
    database(home, cluster, ("0001_a", "a"))
    assert seen(home) == (["0002_b.sql", "0003_c.sql"], [])


def test_an_empty_database_is_left_empty(home: TargetPaths, cluster: Cluster) -> None:
    dsn = database(home, cluster)
    assert seen(home) == (["0001_a.sql", "0002_b.sql", "0003_c.sql"], [])
    with connect(dsn, "tests") as connection:
        assert not ledger.exists(connection)


@pytest.mark.parametrize(
    ("applied", "problem"),
    [
        ([("0001_a", "f")], "migration.edited"),
        ([*APPLIED, ("0004_gone", "e")], "migration.ahead"),
        ([("0000_gone", "e"), ("0001_a", "a")], "migration.missing"),
        ([("0001_a", "a"), ("0003_c", "c")], "migration.out_of_order"),
    ],
)
def test_what_preflight_would_refuse_is_a_problem(
    home: TargetPaths, cluster: Cluster, applied: list[tuple[str, str]], problem: str
) -> None:
    database(home, cluster, *applied)
    assert seen(home)[1] == [problem]


def test_a_first_deployment_applies_all_where_the_host_makes_the_database(home: TargetPaths) -> None:
    everything = ["0001_a.sql", "0002_b.sql", "0003_c.sql"]
    assert seen(home, provision=True) == (everything, [])
    assert seen(home) == (everything, ["database.no_dsn"])


def test_a_database_that_does_not_answer_is_a_sentence_without_its_password(
    home: TargetPaths, cluster: Cluster
) -> None:
    dsn = replace(database(home, cluster), port=1)
    envfile.write(home.agent_env, {target.DSN: dsn.url().reveal()})
    found = forecast.of(home, Settings(), THREE)
    assert (list(found.pending), [problem.id for problem in found.problems]) == ([], ["database.unreachable"])
    assert dsn.password.reveal() not in found.problems[0].message("en") + str(found.problems[0].params)


def test_what_would_break_the_running_release_is_told_before_anything_is_sent(
    home: TargetPaths, cluster: Cluster
) -> None:
    dsn = database(home, cluster, ("0001_a", "a"))
    with connect(dsn, "tests") as connection:
        connection.execute("create table t (id int, x int); insert into t values (1)")
    text = "alter table t drop column x;"
    asked = release(("0001_a", "a"), ("0002_b", "b"))
    wanted = asked.migrations[1].model_copy(update={"sha256": hashlib.sha256(text.encode()).hexdigest()})
    asked = asked.model_copy(update={"migrations": [asked.migrations[0], wanted]})
    home.current.write_text("{}")
    found = forecast.of(home, Settings(), asked, {"0002_b.sql": text})
    assert [problem.id for problem in found.problems] == ["guard.drop-column"]
    assert (found.findings[0].thing, breaking(found.findings)) == ("public.t.x", ["0002_b"])
    assert forecast.of(home, Settings(), asked, {"0002_b.sql": text}, ["0002_b"]).problems == []
    assert forecast.of(home, Settings(), asked, {"0002_b.sql": "select 1"}).findings == []
