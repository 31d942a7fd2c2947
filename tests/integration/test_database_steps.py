"""Provision, preflight and migrate as steps of an operation, against a real PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from agent.capabilities import db_status, env_keys, env_push
from agent.database import target as targets
from agent.database.connect import connect
from agent.database.provision import Names
from agent.host import envfile, platform
from agent.host.files import read_json, write_json
from agent.model.errors import IkomaError, Misuse
from agent.model.names import Target
from agent.model.secret import Secret
from agent.operations.step import Context
from agent.operations.steps import ensure, provision
from agent.operations.steps.guard import Guard
from agent.operations.steps.migrate import Migrate
from agent.operations.steps.preflight import Preflight, PreflightFailed
from tests.integration.database_host import FILES, Host, as_app, host, provisioned
from tests.integration.postgres import Cluster

__all__ = ["host"]


def test_provision_makes_both_connections_and_keeps_them_private(host: Host) -> None:
    provisioned(host)
    assert set(envfile.read(host.home.agent_env)) == {"SUPABASE_DB_DSN"}
    assert set(envfile.read(host.home.app_env)) == {"DATABASE_URL"}
    assert {path.stat().st_mode & 0o777 for path in (host.home.app_env, host.home.agent_env)} == {0o600}
    assert host.dsn().user == "suite_staging_migrator"
    assert as_app(host).user == "suite_staging_app"
    host.notebook.noted.clear()
    assert not provision.needed(host.context())


def test_the_app_works_with_rows_of_tables_that_migrations_make_and_with_nothing_else(host: Host) -> None:
    Migrate().apply(provisioned(host))
    with connect(as_app(host), "app") as app:
        app.execute("insert into app.notes (text) values ('one'); update app.notes set text = 'two'")
        app.execute("insert into visits values (1); delete from visits")
        assert app.execute("select text from app.all_notes").fetchall() == [("two",)]
        for forbidden in (
            "create table app.mine (i int)", "create table public.mine (i int)", "drop table visits",
            "create schema mine", "alter table app.notes add column x int", "select * from ikoma.migrations",
            "create role friend", "create database more",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(forbidden.encode())


def test_a_table_of_a_later_deployment_is_open_to_the_app_too(host: Host) -> None:
    Migrate().apply(provisioned(host))
    Migrate().apply(host.context(FILES | {"0003_later.sql": "create table app.later (id serial primary key);"}))
    with connect(as_app(host), "app") as app:
        app.execute("insert into app.later default values")


def test_a_recovery_knows_that_the_database_was_being_made(host: Host) -> None:
    ctx = host.context()
    ctx.step = "provision"
    provision.Provision().apply(ctx)
    assert provision.needed(replace(ctx, recovering=True))


def test_a_release_that_needs_no_database_gets_none(host: Host) -> None:
    assert not provision.needed(host.context({}))
    assert provision.needed(host.context({}, required_env=["DATABASE_URL"]))


def test_a_provision_that_was_interrupted_is_repeated_and_overwrites_no_value(host: Host) -> None:
    envfile.write(host.home.app_env, {"DATABASE_URL": "postgresql://chosen@elsewhere/db"})
    provisioned(host)
    host.home.agent_env.unlink()
    provisioned(host)
    assert envfile.read(host.home.app_env) == {"DATABASE_URL": "postgresql://chosen@elsewhere/db"}
    with connect(host.dsn(), "tests") as connection:
        assert connection.execute("select current_user").fetchall() == [("suite_staging_migrator",)]


def test_a_provision_repeated_before_its_last_write_leaves_the_app_a_password_that_works(host: Host) -> None:
    provisioned(host)
    host.home.agent_env.unlink()
    provisioned(host)
    connect(as_app(host), "app").close()


def test_an_administrator_needs_no_more_than_createdb_and_createrole(host: Host, cluster: Cluster) -> None:
    modest = replace(cluster.admin, user="modest", password=Secret("m0dest-enough"))
    with connect(cluster.admin, "tests") as admin:
        admin.execute("create role modest login createdb createrole password 'm0dest-enough'")
    host.settings = replace(host.settings, admin_dsn=modest.url())
    try:
        Migrate().apply(provisioned(host))
        with connect(as_app(host), "app") as app:
            app.execute("insert into visits values (1)")
    finally:
        with connect(cluster.admin, "tests") as admin:
            admin.execute('drop database if exists "suite_staging" with (force)')
            admin.execute("drop owned by modest; drop role modest")


def test_a_database_is_made_sure_of_whoever_made_it(host: Host) -> None:
    first = ensure.Ensure().apply(host.context())
    assert "answers and may be migrated" in first.detail
    made = host.dsn()
    ensure.Ensure().apply(host.context())
    assert host.dsn() == made
    envfile.write(host.home.agent_env, {targets.DSN: replace(made, database="postgres").url().reveal()})
    with pytest.raises(IkomaError) as caught:
        ensure.Ensure().apply(host.context())
    assert caught.value.id == "database.rights"


def test_somebody_elses_database_is_not_taken_over(host: Host, cluster: Cluster) -> None:
    with connect(cluster.admin, "tests") as admin:
        admin.execute('create database "suite_staging"')
    with pytest.raises(IkomaError) as caught:
        provisioned(host)
    assert caught.value.id == "database.foreign"
    assert not host.home.agent_env.exists()


def test_the_server_log_never_holds_a_password(host: Host, cluster: Cluster) -> None:
    provisioned(host)
    log = cluster.log.read_text()
    assert "suite_staging_migrator" in log
    for dsn in (host.dsn(), as_app(host)):
        assert dsn.password.reveal() not in log


@pytest.mark.parametrize("app", ["a" * 31, "suite"])
def test_names_fit_into_an_identifier_and_stay_apart(app: str) -> None:
    names = Names.of(Target(app, "b" * 31).slug)
    other = Names.of(Target(app, "b" * 30 + "c").slug)
    assert max(map(len, (names.database, names.migrator, names.app))) <= 63
    assert len({names.migrator, names.app, other.migrator, other.app}) == 4


def test_migrate_tells_each_file_and_what_it_did(host: Host) -> None:
    outcome = Migrate().apply(provisioned(host))
    assert host.notebook.progress() == ["Applying 0001_app.sql", "Applying 0002_public.sql"]
    assert outcome.result == {"migrations": {"applied": ["0001_app", "0002_public"], "pending": []}}
    assert outcome.status == "done"


def test_migrate_with_nothing_pending_is_skipped(host: Host) -> None:
    Migrate().apply(provisioned(host))
    outcome = Migrate().apply(host.context())
    assert (outcome.status, outcome.detail) == ("skipped", "nothing pending")


def test_a_failed_migration_leaves_a_note_of_what_stands_and_undoes_nothing(host: Host) -> None:
    provisioned(host)
    ctx = host.context(FILES | {"0003_bad.sql": "select 1/0;", "0004_more.sql": "select 1;"})
    ctx.step = "migrate"
    with pytest.raises(IkomaError) as caught:
        Migrate().apply(ctx)
    assert caught.value.id == "migration.sql"
    standing = {"applied": ["0001_app", "0002_public"], "pending": ["0003_bad", "0004_more"]}
    assert ctx.notes()["result"] == {"migrations": standing}
    assert Migrate().undo(ctx) == ""


def test_going_back_after_a_kill_says_what_the_dead_worker_had_committed(host: Host) -> None:
    ctx = provisioned(host)
    ctx.step = "migrate"
    Migrate().apply(ctx)
    host.notebook.noted.clear()  # the worker died before it could note anything
    assert "0001_app, 0002_public" in Migrate().undo(ctx)


def test_a_breaking_migration_that_was_accepted_is_told_when_its_release_fails(host: Host) -> None:
    Migrate().apply(provisioned(host))
    folder = host.home.release("r-0123456789ab")
    folder.mkdir(parents=True)
    write_json(folder / "record.json", {"release": folder.name})
    write_json(host.home.current, {"release": folder.name, "status": "HEALTHY", "since": "", "operation": ""})
    more = {"0003_more.sql": "create table more (n int);", "0004_other.sql": "alter table visits rename n to m;"}
    ctx = host.context(FILES | more)
    ctx.args["accept"] = ["0004_other"]
    for step in (Guard(), Migrate()):
        ctx.step = step.name
        step.apply(ctx)
    host.notebook.events.clear()
    Migrate().undo(ctx)
    assert [(kind, data["id"], data["params"]["files"]) for kind, data in host.notebook.events] == [
        ("warning", "guard.stands", "0004_other.sql")
    ]
    assert read_json(folder / "record.json")["breaking"] == ["0004_other"]


@pytest.mark.parametrize("dsn", ["", "postgresql://me:x@127.0.0.1:1/none", "nonsense"])
def test_going_back_needs_no_database(host: Host, dsn: str) -> None:
    envfile.write(host.home.agent_env, {targets.DSN: dsn})
    assert Migrate().undo(host.context({})) == ""


def refusal(ctx: Context) -> PreflightFailed:
    with pytest.raises(PreflightFailed) as caught:
        Preflight().apply(ctx)
    return caught.value


def test_preflight_names_every_reason_at_once(host: Host) -> None:
    Migrate().apply(provisioned(host))
    host.settings = replace(host.settings, min_free_mb=10**9)
    edited = {
        "0001_app.sql": "select 1;", "0002_public.sql": FILES["0002_public.sql"], "0003_bad.sql": "begin; select 1;",
    }  # fmt: skip
    error = refusal(
        host.context(edited, platform="linux/" + other_platform(), required_env=["DATABASE_URL", "KEY_ONE"])
    )
    assert [reason.id for reason in error.reasons] == [
        "engine.absent", "preflight.disk", "preflight.environment", "preflight.platform", "migration.edited",
        "migration.transaction_control",
    ]  # fmt: skip
    message = error.message("en")
    assert "KEY_ONE" in message
    assert "DATABASE_URL" not in message
    assert "python -m bridge env push --app suite --env staging" in message
    assert "0001_app.sql" in message
    assert "0003_bad.sql:1: BEGIN" in message
    assert [item["id"] for item in error.to_json("en")["reasons"]] == [reason.id for reason in error.reasons]


def other_platform() -> str:
    return "arm64" if platform.architecture() == "amd64" else "amd64"


def test_preflight_speaks_french(host: Host) -> None:
    error = refusal(host.context({}, lang="fr", required_env=["KEY_ONE"]))
    assert "Il manque à l'hôte" in error.message("fr")


def test_preflight_refuses_a_bundle_whose_files_are_not_those_of_the_release(host: Host) -> None:
    ctx = provisioned(host)
    assert ctx.bundle is not None
    (ctx.bundle / "migrations" / "0001_app.sql").write_text("drop table everything;")
    ctx.facts.clear()
    assert "release.bundle" in [reason.id for reason in refusal(ctx).reasons]


def test_preflight_names_the_grant_that_is_missing(host: Host, cluster: Cluster) -> None:
    provisioned(host)
    with connect(cluster.admin, "tests") as admin:
        admin.execute('alter database "suite_staging" owner to admin')
    assert 'grant connect on database "suite_staging" to "suite_staging_migrator";' in rights_lacking(host)
    with connect(cluster.admin, "tests") as admin:
        admin.execute('grant connect on database "suite_staging" to suite_staging_migrator')
    assert 'grant create on database "suite_staging" to "suite_staging_migrator";' in rights_lacking(host)


def rights_lacking(host: Host) -> str:
    found = [reason for reason in refusal(host.context()).reasons if reason.id == "database.rights"]
    return found[0].remedy("en")


def test_preflight_names_a_read_only_database(host: Host, cluster: Cluster) -> None:
    provisioned(host)
    with connect(cluster.admin, "tests") as admin:
        admin.execute('alter database "suite_staging" set default_transaction_read_only = on')
    assert "database.read_only" in [reason.id for reason in refusal(host.context()).reasons]


def test_preflight_says_that_the_connection_is_missing_and_how_to_give_it(host: Host) -> None:
    host.settings = replace(host.settings, provision=False)
    error = refusal(host.context())
    assert "database.no_dsn" in [reason.id for reason in error.reasons]
    assert "SUPABASE_DB_DSN" in error.message("en")


@pytest.mark.parametrize("password", ["Sup3r%zz secret", "p@ss@word:/?#", "qu'ote\"d \\ pass", "100%"])
def test_a_password_with_odd_characters_works_and_is_never_shown(host: Host, cluster: Cluster, password: str) -> None:
    ctx = provisioned(host)
    with connect(cluster.admin, "tests") as admin:
        literal = password.replace("'", "''")
        admin.execute(f"alter role suite_staging_migrator password '{literal}'".encode())
    place = f"127.0.0.1:{cluster.admin.port}/suite_staging"
    envfile.write(host.home.agent_env, {targets.DSN: f"postgresql://suite_staging_migrator:{password}@{place}"})
    assert Migrate().apply(ctx).status == "done"
    with connect(cluster.admin, "tests") as admin:
        admin.execute("alter role suite_staging_migrator password 'another'")
    error = refusal(host.context())
    assert "database.password" in [reason.id for reason in error.reasons]
    for shown in (error.message("en"), error.message("fr"), json.dumps(error.to_json("en"))):
        assert password not in shown


def test_db_status_tells_what_is_applied_and_shows_no_password(host: Host) -> None:
    Migrate().apply(provisioned(host))
    status = db_status.run(host.call())
    assert status["reachable"] is True
    assert status["migrations"]["applied"] == ["0001_app", "0002_public"]
    assert host.dsn().password.reveal() not in json.dumps(status)


def test_db_status_of_a_wrong_connection_is_an_answer_with_a_remedy(host: Host) -> None:
    envfile.write(host.home.agent_env, {targets.DSN: "postgresql://me:Hunter2%zz@127.0.0.1:1/none"})
    status = db_status.run(host.call())
    assert status["reachable"] is False
    assert status["problems"][0]["id"] == "database.unreachable"
    assert "Hunter2" not in json.dumps(status)


def push(host: Host, **args: Any) -> dict[str, Any]:
    env_push.check(host.call(**args))
    ctx = Context("op-2", host.target, host.paths, host.settings, args, None, host.notebook)
    return env_push.Push().apply(ctx).result


def test_env_push_merges_and_reports_names_alone(host: Host) -> None:
    push(host, values={"A": "one", "B": "two"})
    result = push(host, values={"A": "one", "B": "three %@' x", "C": "4"}, remove=["D"])
    assert result["keys"] == {"added": ["C"], "changed": ["B"], "unchanged": ["A"], "removed": []}
    assert envfile.read(host.home.app_env) == {"A": "one", "B": "three %@' x", "C": "4"}
    assert push(host, remove=["A"])["keys"]["removed"] == ["A"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"values": {"SUPABASE_DB_DSN": "postgresql://a@b/c"}}, "env.agent_only"),
        ({"scope": "agent", "values": {"OTHER": "x"}}, "env.app_only"),
        ({"scope": "root", "values": {"OTHER": "x"}}, "env.scope"),
        ({"values": {"1X": "x"}}, "env.key"),
        ({"values": {"X": "a\0b"}}, "env.value"),
        ({"values": {"X": 5}}, "env.value"),
        ({"values": {}}, "env.empty"),
        ({"scope": "agent", "values": {"SUPABASE_DB_DSN": "mysql://me:Hunter2@x/y"}}, "dsn.invalid"),
    ],
)
def test_env_push_refuses_what_makes_no_sense(host: Host, args: dict[str, Any], expected: str) -> None:
    with pytest.raises(Misuse) as caught:
        push(host, **args)
    assert caught.value.id == expected
    assert "Hunter2" not in caught.value.message("en")
    assert not host.home.app_env.exists()


def test_env_keys_shows_fingerprints_that_follow_the_values(host: Host) -> None:
    push(host, values={"A": "one", "B": "one"})
    push(host, scope="agent", values={"SUPABASE_DB_DSN": "postgresql://a:Hunter2pass@b/c"})
    before = env_keys.run(host.call())
    assert set(before["app"]) == {"A", "B"}
    assert set(before["agent"]) == {"SUPABASE_DB_DSN"}
    assert before["app"]["A"] != before["app"]["B"]
    push(host, values={"B": "two"})
    after = env_keys.run(host.call())
    assert after["app"]["A"] == before["app"]["A"]
    assert after["app"]["B"] != before["app"]["B"]
    assert "Hunter2" not in json.dumps(after)


def test_secrets_of_an_environment_file_are_known_to_the_redactor(host: Host) -> None:
    known = envfile.secrets({"NAME": "suite", "API_TOKEN": "tok-123456", "URL": "redis://:p%40ss@h:1/0", "PORT": "80"})
    assert Secret("tok-123456") in known
    assert Secret("p@ss") in known
    assert Secret("suite") not in known
