"""Databases that somebody else migrated: adopted from a ledger, or recorded after a comparison; SQL by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from agent.capabilities import db_adopt, db_baseline, db_migrate, db_seed
from agent.database import byhand, forecast, foreign, ledger, target
from agent.database.connect import connect
from agent.host import envfile
from agent.host.files import read_json, write_json
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError, Misuse
from agent.model.names import Target
from agent.model.release import Release, ReleaseMigration
from agent.operations.step import Context, Step
from tests.integration.postgres import Cluster

SUITE = Target("suite", "staging")
FILES = {
    "0001_people.sql": "create table people (id int primary key, name text);\n",
    "0002_pets.sql": "-- ours\ncreate table pets (id int primary key, owner int references people (id));\n",
}


@dataclass
class Notes:
    """The durable side of an operation, in memory."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    noted: dict[str, dict[str, Any]] = field(default_factory=dict)

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        self.events.append((kind, data))

    def note(self, step: str, facts: dict[str, Any]) -> None:
        self.noted.setdefault(step, {}).update(facts)

    def notes(self, step: str) -> dict[str, Any]:
        return self.noted.get(step, {})


@dataclass
class Host:
    """A host with one target whose database is real."""

    paths: Paths
    dsn: Dsn

    def operate(self, steps: Any, **args: Any) -> dict[str, Any]:
        """Run the steps of a capability; return their results in one. On a fault all of them are undone."""
        journal = Notes()
        ctx = Context(
            f"op-{len(list(self.paths.incoming.glob('*')))}", SUITE, self.paths, Settings(), dict(args), None, journal
        )
        result: dict[str, Any] = {"said": journal.events}
        done: list[Step] = []
        try:
            for step in steps(ctx):
                ctx.step = step.name
                done.append(step)
                result |= step.apply(ctx).result
        except IkomaError:
            for step in reversed(done):
                ctx.step = step.name
                step.undo(ctx)
            raise
        return result

    def run(self, *statements: str) -> None:
        with connect(self.dsn, "tests") as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.dsn, "tests") as connection:
            return list(connection.execute(query.encode()).fetchall())

    @property
    def recorded(self) -> list[str]:
        with connect(self.dsn, "tests") as connection:
            return [row.name for row in ledger.read(connection)]


@pytest.fixture
def host(tmp_path: Path, cluster: Cluster) -> Host:
    paths = Paths(tmp_path)
    home = paths.target(SUITE)
    for folder in (home.base, paths.incoming, paths.backups, paths.locks, paths.etc):
        folder.mkdir(parents=True, exist_ok=True)
    dsn = cluster.database()
    envfile.write(home.agent_env, {target.DSN: dsn.url().reveal()})
    return Host(paths, dsn)


def release(files: Mapping[str, str]) -> Release:
    """Return a release of nothing but migrations."""
    sums = [
        ReleaseMigration(file=name, sha256=hashlib.sha256(text.encode()).hexdigest()) for name, text in files.items()
    ]
    return Release(
        app="suite", environment="staging", platform="linux/amd64", compose={"services": {}}, services={},
        migrations=sums,
    )  # fmt: skip


def supabase(host: Host, files: Mapping[str, str]) -> None:
    """Do as the Supabase CLI does: keep each file's statements, without the comments between them."""
    columns = "version text primary key, statements text[], name text"
    host.run("create schema supabase_migrations", f"create table supabase_migrations.schema_migrations ({columns})")
    for name, text in files.items():
        host.run(text)
        said = text.rpartition("-- ours\n")[2].strip().rstrip(";")
        with connect(host.dsn, "tests") as connection:
            connection.execute(
                "insert into supabase_migrations.schema_migrations values (%s, %s, %s)",
                [name.partition("_")[0], [said], name.partition("_")[2].removesuffix(".sql")],
            )


def test_the_ledger_of_the_supabase_cli_is_adopted_and_kept_in_step(host: Host) -> None:
    supabase(host, FILES)
    home = host.paths.target(SUITE)
    told = forecast.of(home, Settings(), release(FILES)).problems
    assert [item.id for item in told] == ["migration.foreign_ledger"]
    found = host.operate(db_adopt.steps, files=FILES)
    assert found["adopted"] == {"from": "supabase", "migrations": ["0001_people", "0002_pets"]}
    assert host.operate(db_adopt.steps, files=FILES)["adopted"]["migrations"] == []
    more = FILES | {
        "0003_toys.sql": "create table toys (id int);",
        "0004_i.sql": "create index concurrently i on toys (id);",
    }
    applied = host.operate(db_migrate.steps, files=more)
    assert applied["migrations"]["applied"] == ["0003_toys", "0004_i"]
    query = "select version, name, statements from supabase_migrations.schema_migrations order by version"
    assert host.rows(query)[2:] == [
        ("0003", "toys", ["create table toys (id int)"]), ("0004", "i", ["create index concurrently i on toys (id)"]),
    ]  # fmt: skip


def test_the_ledger_of_dbmate_is_adopted_and_kept_in_step(host: Host) -> None:
    host.run(*FILES.values(), "create table schema_migrations (version varchar(128) primary key)",
             "insert into schema_migrations values ('0001'), ('0002')")  # fmt: skip
    assert host.operate(db_adopt.steps, files=FILES)["adopted"]["from"] == "dbmate"
    with connect(host.dsn, "tests") as connection:
        assert [item.kind for item in foreign.followed(connection)] == ["dbmate"]


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"0001_people.sql": FILES["0001_people.sql"]}, "adoption.unknown"),
        (FILES | {"0002_pets.sql": "create table pets (id int);"}, "adoption.edited"),
    ],
)
def test_a_ledger_that_does_not_fit_the_files_is_not_adopted(host: Host, files: dict[str, str], fault: str) -> None:
    supabase(host, FILES)
    with pytest.raises(IkomaError) as caught:
        host.operate(db_adopt.steps, files=files)
    assert caught.value.id == fault
    assert host.recorded == []


def test_a_baseline_is_a_dry_run_first_and_then_recorded(host: Host) -> None:
    host.run(*FILES.values())
    told = host.operate(db_baseline.steps, files=FILES, through="0002")["baseline"]
    assert (told["equal"], told["recorded"], host.recorded) == (True, [], [])
    done = host.operate(db_baseline.steps, files=FILES, through="0002", apply=True)["baseline"]
    assert done["recorded"] == host.recorded == ["0001_people", "0002_pets"]
    more = FILES | {"0003_toys.sql": "create table toys (id int);"}
    assert host.operate(db_migrate.steps, files=more)["migrations"]["applied"] == ["0003_toys"]
    with pytest.raises(IkomaError, match="has a ledger already: 3"):
        host.operate(db_baseline.steps, files=FILES, through="0002", apply=True)


def test_a_difference_is_named_refused_and_may_be_accepted(host: Host) -> None:
    host.run(*FILES.values(), "alter table pets add column born date", "create index by_name on people (name)")
    told = host.operate(db_baseline.steps, files=FILES, through="0002")["baseline"]
    titles = [item["title"] for item in told["differences"]]
    assert sorted(titles) == ["column public.pets.born", "index public.by_name"]
    with pytest.raises(IkomaError) as caught:
        host.operate(db_baseline.steps, files=FILES, through="0002", apply=True, accept=titles[:1])
    assert caught.value.id == "baseline.differs"
    assert host.recorded == []
    host.operate(db_baseline.steps, files=FILES, through="0002", apply=True, accept=titles)
    more = FILES | {"0003_toys.sql": "create table toys (id int);"}
    assert host.operate(db_migrate.steps, files=more)["migrations"]["applied"] == ["0003_toys"]
    host.run("alter table pets drop column born, add column born timestamptz")
    with pytest.raises(IkomaError) as caught:
        host.operate(db_migrate.steps, files=more | {"0004_x.sql": "create table x (id int);"})
    assert caught.value.id == "database.drift"


def test_the_repair_makes_the_next_baseline_equal(host: Host) -> None:
    host.run(*FILES.values(), "alter table pets add column born date", "create index by_name on people (name)")
    told = host.operate(db_baseline.steps, files=FILES, through="0002", repair=True)["baseline"]
    assert told["repair"]["file"] == "0003_as_found.sql"
    whole = FILES | {told["repair"]["file"]: told["repair"]["sql"]}
    assert host.operate(db_baseline.steps, files=whole, through="0003", apply=True)["baseline"]["equal"] is True
    assert host.recorded == ["0001_people", "0002_pets", "0003_as_found"]


@pytest.mark.parametrize(("proof", "told"), [("off", ["database.not_empty"]), ("auto", ["database.not_empty"]),
                                             ("warn", [])])  # fmt: skip
def test_what_no_migration_made_is_not_migrated_even_where_nothing_is_proven(
    host: Host, proof: Literal["off", "auto", "warn"], told: list[str]
) -> None:
    host.run("create table words (word text)", "create extension if not exists pg_trgm")
    wanted = release(FILES).model_copy(update={"proof": proof})
    problems = forecast.of(host.paths.target(SUITE), Settings(), wanted).problems
    assert [item.id for item in problems] == told
    assert all("words" in item.message("en") for item in problems)


def test_sql_that_came_by_hand_is_kept_until_a_release_contains_it(host: Host) -> None:
    host.operate(db_migrate.steps, files=FILES)
    text = "create table by_hand (id int);"
    found = host.operate(db_migrate.steps, files=FILES, sql=text, name="toys")
    assert found["migration"] == {"file": "0003_toys.sql", "sql": text}
    home = host.paths.target(SUITE)
    assert byhand.kept(home) == {"0003_toys.sql": text.encode()}
    with connect(host.dsn, "tests") as connection:
        assert [row.name for row in ledger.read(connection)][-1] == "0003_toys"
    lacking = IkomaError("migration.ahead", files="0003_toys")
    (named,) = byhand.explained([lacking], home, SUITE)
    assert "db.migration --app suite --env staging name=0003_toys" in named.remedy("en")
    told = forecast.of(home, Settings(), release(FILES)).problems
    assert [item.id for item in told] == ["migration.by_hand"]
    lacking = IkomaError("migration.ahead", files="0003_toys, 0004_x")
    assert byhand.explained([lacking], home, SUITE) == [lacking]


def test_sql_that_fails_by_hand_leaves_nothing_behind(host: Host) -> None:
    with pytest.raises(IkomaError):
        host.operate(db_migrate.steps, files=FILES, sql="create table x (id nonsense);")
    assert byhand.kept(host.paths.target(SUITE)) == {}


def test_seeds_are_sown_whole_or_not_at_all(host: Host) -> None:
    host.operate(db_migrate.steps, files=FILES)
    seeds = {"people.sql": "insert into people values (1, 'Ada');"}
    assert host.operate(db_seed.steps, seeds=seeds)["seeds"] == ["people.sql"]
    twice = "insert into people values (2, 'Eve');\ninsert into people values (1, 'x');"
    with pytest.raises(IkomaError, match=r"twice.sql:2"):
        host.operate(db_seed.steps, seeds={"twice.sql": twice})
    assert host.rows("select name from people") == [("Ada",)]


def test_seeds_are_not_for_production_unless_it_is_named(host: Host) -> None:
    from agent.capabilities.call import Call

    call = Call(Target("suite"), {}, host.paths, Settings())
    with pytest.raises(Misuse, match="not for production"):
        db_seed.check(call)


def test_the_proof_builds_on_what_the_platform_made(host: Host, cluster: Cluster) -> None:
    with cluster.inside(host.dsn) as admin:
        for statement in (
            "create schema auth", "create table auth.users (id uuid primary key)",
            "create function auth.uid() returns uuid language sql stable as 'select null::uuid'",
            f'grant usage on schema auth to "{host.dsn.user}"',
            f'grant select, references on auth.users to "{host.dsn.user}"',
        ):  # fmt: skip
            admin.execute(statement.encode())
    policy = "alter table notes enable row level security; create policy own on notes using (owner = auth.uid())"
    files = {"0001_notes.sql": f"create table notes (id int, owner uuid references auth.users (id)); {policy}"}
    found = host.operate(db_migrate.steps, files=files)
    assert (found["proof"]["proven"], found["proof"]["rebuilt"]) == (True, True)
    assert found["migrations"]["applied"] == ["0001_notes"]


def test_what_by_hand_breaks_the_release_that_serves_is_refused_or_recorded_for_a_rollback(host: Host) -> None:
    host.operate(db_migrate.steps, files=FILES)
    home = host.paths.target(SUITE)
    write_json(home.current, {"release": "r-0123456789ab", "status": "HEALTHY", "since": "", "operation": "op"})
    home.release("r-0123456789ab").mkdir(parents=True)
    write_json(home.release("r-0123456789ab") / "record.json", {"release": "r-0123456789ab", "deployed": ""})
    less = {"files": FILES, "sql": "alter table people drop column name;", "name": "less"}
    with pytest.raises(IkomaError) as caught:
        host.operate(db_migrate.steps, **less)
    assert caught.value.id == "guard.drop-column"
    assert byhand.kept(home) == {}
    host.operate(db_migrate.steps, **less, accept=["0003_less"])
    assert read_json(home.release("r-0123456789ab") / "record.json")["breaking"] == ["0003_less"]
