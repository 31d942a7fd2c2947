"""The proof of rebuild as a step of a deployment, against a real PostgreSQL and throw-away clusters."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import pytest

from agent.capabilities import db_diff, db_verify_rebuild
from agent.database.connect import Connection, connect
from agent.database.fingerprint import catalog
from agent.database.fingerprint.model import Fingerprint
from agent.database.proof import baseline, room, scratch, store
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome
from agent.operations.steps.migrate import Migrate
from agent.operations.steps.prove import Prove
from tests.integration.database_host import FILES, Host, host, provisioned
from tests.integration.postgres import Cluster, major

__all__ = ["host"]

MORE = {"0003_more.sql": "alter table app.notes add column at timestamptz not null default now();\n"}


def deploy(host: Host, files: dict[str, str], **changes: Any) -> Outcome:
    """Run prove and migrate as a deployment does, and record the release as the one that serves."""
    ctx = host.context(files, **changes)
    ctx.step = "prove"
    proof = Prove().apply(ctx)
    ctx.step = "migrate"
    Migrate().apply(ctx)
    serve(host, ctx)
    return proof


def serve(host: Host, ctx: Context) -> None:
    assert ctx.bundle is not None
    folder = host.home.release(ctx.args["release"])
    (folder / "migrations").mkdir(parents=True, exist_ok=True)
    for path in (ctx.bundle / "migrations").iterdir():
        (folder / "migrations" / path.name).write_bytes(path.read_bytes())
    for name in ("release.json", baseline.FILE):
        if (ctx.bundle / name).exists():
            shutil.copy2(ctx.bundle / name, folder / name)
    host.home.current.write_text(json.dumps({"release": ctx.args["release"]}))


def by_hand(host: Host, statement: str) -> None:
    with connect(host.dsn(), "somebody") as connection:
        connection.execute(statement.encode())


def refusal(host: Host, files: dict[str, str], **changes: Any) -> IkomaError:
    with pytest.raises(IkomaError) as caught:
        deploy(host, files, **changes)
    return caught.value


def warnings(host: Host) -> list[str]:
    return [data["id"] for kind, data in host.notebook.events if kind == "warning"]


@pytest.fixture
def proven(host: Host) -> Host:
    """A host whose database two migrations were deployed to."""
    provisioned(host)
    assert deploy(host, FILES).result["proof"]["rebuilt"] is True
    return host


def test_a_first_deployment_is_proven_before_the_live_database_is_touched(host: Host) -> None:
    provisioned(host)
    ctx = host.context()
    outcome = Prove().apply(ctx)
    assert outcome.result["proof"]["proven"] is True
    with connect(host.dsn(), "tests") as connection:
        assert connection.execute("select to_regnamespace('app'), to_regnamespace('ikoma')").fetchone() == (None, None)


def test_live_is_what_the_proof_promised_and_the_database_remembers_it(host: Host) -> None:
    provisioned(host)
    promised = deploy(host, FILES).result["proof"]["fingerprint"]
    with connect(host.dsn(), "tests") as connection:
        kept = store.find(connection, "schema")
    assert kept is not None
    assert kept.digest == promised


def test_with_nothing_pending_only_fingerprints_are_compared(proven: Host) -> None:
    outcome = deploy(proven, FILES)
    assert outcome.result["proof"]["rebuilt"] is False
    assert warnings(proven) == []


def test_a_later_deployment_is_proven_against_what_live_is(proven: Host) -> None:
    assert deploy(proven, FILES | MORE).result["proof"]["rebuilt"] is True
    assert warnings(proven) == []


@pytest.mark.parametrize("files", [FILES, FILES | MORE], ids=["nothing pending", "something pending"])
def test_a_column_dropped_by_hand_stops_the_next_deployment_and_is_named(proven: Host, files: dict[str, str]) -> None:
    by_hand(proven, "drop view app.all_notes; alter table app.notes drop column text")
    error = refusal(proven, files)
    assert error.id == "database.drift"
    assert "column app.notes.text" in error.message("en")
    assert "python -m bridge call db.diff --app suite --env staging" in error.remedy("en")
    with connect(proven.dsn(), "tests") as connection:
        assert connection.execute("select count(*) from ikoma.migrations").fetchone() == (2,)


def test_db_diff_shows_the_object_and_the_statement_that_explains_it(proven: Host) -> None:
    assert db_diff.run(proven.call())["clean"] is True
    by_hand(proven, "alter table app.notes add column extra int")
    answer = db_diff.run(proven.call())
    assert answer["compared_with"] == "deployment"
    assert answer["differences"] == [{
        "schema": "app", "kind": "column", "name": "notes.extra", "live": "type: integer", "rebuilt": None,
        "sql": "alter table app.notes add column extra integer;",
    }]  # fmt: skip


def test_db_verify_rebuild_says_yes_or_what_differs(proven: Host) -> None:
    answer = db_verify_rebuild.run(proven.call())
    assert (answer["verified"], answer["differences"]) == (True, [])
    assert answer["witness"] == {"agrees": True, "reason": None}
    by_hand(proven, "grant select on app.notes to public")
    answer = db_verify_rebuild.run(proven.call())
    assert answer["verified"] is False
    assert [item["sql"] for item in answer["differences"]] == ["grant select on table app.notes to PUBLIC;"]


def test_what_our_fingerprint_would_not_see_the_second_witness_tells(
    proven: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(connection: Connection, **words: str) -> Fingerprint:
        taken = seeing(connection, **words)
        return replace(taken, objects={key: text for key, text in taken.objects.items() if key.kind != "index"})

    seeing = catalog.take
    by_hand(proven, "create index by_hand on app.notes (id)")
    monkeypatch.setattr(catalog, "take", blind)
    answer = db_verify_rebuild.run(proven.call())
    assert (answer["verified"], answer["witness"]) == (False, {"agrees": False, "reason": None})
    (told,) = answer["differences"]
    assert (told["kind"], told["schema"], told["name"], told["rebuilt"]) == ("index", "app", "by_hand", None)
    assert told["sql"] == "CREATE INDEX by_hand ON app.notes USING btree (id);"


def test_a_witness_that_cannot_be_asked_says_why_and_decides_nothing(
    proven: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.database.backup.tools._FOLDERS", ("/nowhere/{}",))
    answer = db_verify_rebuild.run(proven.call())
    assert (answer["verified"], answer["witness"]["agrees"]) == (True, None)
    assert "pg_dump" in answer["witness"]["reason"]


PLATFORM = (
    "create schema auth", "create table auth.users (id uuid primary key)",
    "create function auth.uid() returns uuid language sql stable as 'select null::uuid'",
)  # fmt: skip
OWNED = "create table app.owned (owner uuid default auth.uid() references auth.users (id));\n"


def test_a_release_is_enough_to_build_its_database_with_live_gone(host: Host, cluster: Cluster) -> None:
    provisioned(host)
    dsn = host.dsn()
    with cluster.inside(dsn) as admin:
        rights = (f'grant usage on schema auth to "{dsn.user}"', f'grant all on auth.users to "{dsn.user}"')
        admin.execute(";".join([*PLATFORM, *rights]).encode())
    deploy(host, FILES | {"0003_owned.sql": OWNED})
    kept = host.home.release(json.loads(host.home.current.read_text())["release"]) / baseline.FILE
    assert kept.stat().st_mode & 0o77 == 0
    with connect(cluster.admin, "tests") as admin:
        admin.execute(f'drop database "{dsn.database}" with (force)'.encode())
    answer = db_verify_rebuild.run(host.call(stored=True))
    assert (answer["verified"], answer["differences"]) == (True, [])
    with pytest.raises(IkomaError):
        db_verify_rebuild.run(host.call())


def test_a_release_whose_files_no_longer_give_its_database_is_found_with_live_gone(proven: Host) -> None:
    folder = proven.home.release(json.loads(proven.home.current.read_text())["release"])
    document = json.loads((folder / baseline.FILE).read_text())
    by_hand(proven, "alter table app.notes add column extra int")
    with connect(proven.dsn(), "tests") as connection:
        baseline.complete(folder, catalog.take(connection, app_role=document["likeness"]["app_role"]))
    answer = db_verify_rebuild.run(proven.call(stored=True))
    assert [(item["kind"], item["name"]) for item in answer["differences"]] == [("column", "notes.extra")]
    (folder / baseline.FILE).unlink()
    with pytest.raises(IkomaError) as caught:
        db_verify_rebuild.run(proven.call(stored=True))
    assert caught.value.id == "proof.no_baseline"


def test_roles_in_statements_bear_their_real_names(proven: Host) -> None:
    by_hand(proven, "revoke insert on visits from suite_staging_app")
    (difference,) = db_diff.run(proven.call())["differences"]
    assert difference["sql"] == "revoke insert on table public.visits from suite_staging_app;"


def test_files_that_need_what_no_file_makes_never_reach_the_live_database(proven: Host) -> None:
    by_hand(proven, "create table app.helper (id int)")
    files = FILES | {"0003_uses.sql": "select 1;\ninsert into app.helper values (1);\n"}
    error = refusal(proven, files)
    assert error.id == "database.not_rebuildable"
    assert error.message("en").startswith("0003_uses.sql:2: ")
    assert "app.helper" in error.message("en")
    with connect(proven.dsn(), "tests") as connection:
        assert connection.execute("select count(*) from app.helper").fetchone() == (0,)


def test_files_that_only_ran_because_live_was_prepared_by_hand_are_found(host: Host) -> None:
    provisioned(host)
    by_hand(host, "create schema helper; create table helper.words (word text)")
    assert refusal(host, {"0001_uses.sql": "insert into helper.words values ('x');"}).id == "database.not_rebuildable"


def test_a_database_that_already_holds_something_is_refused_and_that_is_named(host: Host) -> None:
    provisioned(host)
    by_hand(host, "create schema old; create table old.words (word text)")
    error = refusal(host, FILES)
    assert error.id == "database.not_empty"
    assert "schema old" in error.message("en") or "table old.words" in error.message("en")
    with connect(host.dsn(), "tests") as connection:
        assert connection.execute("select to_regnamespace('ikoma')").fetchone() == (None,)


def test_what_was_there_before_is_taken_over_as_a_first_migration(host: Host) -> None:
    provisioned(host)
    by_hand(host, "create table public.words (word text)")
    files = {"0001_words.sql": "create table if not exists public.words (word text);"}
    deploy(host, files, proof="warn")
    assert warnings(host) == ["database.not_empty"]
    deploy(host, files)
    assert db_verify_rebuild.run(host.call())["verified"] is True


def test_a_policy_of_warn_goes_on_and_says_so(proven: Host) -> None:
    by_hand(proven, "alter table app.notes add column extra int")
    outcome = deploy(proven, FILES | MORE, proof="warn")
    assert outcome.result["proof"] == {"proven": False, "reason": "database.drift"}
    assert warnings(proven) == ["database.drift", "database.promise_broken"]
    assert refusal(proven, FILES | MORE).id == "database.drift"


def test_a_change_by_hand_is_adopted_by_a_migration_that_makes_it_too(proven: Host) -> None:
    by_hand(proven, "alter table app.notes add column extra int")
    files = FILES | {"0003_extra.sql": "alter table app.notes add column if not exists extra int;"}
    deploy(proven, files, proof="warn")
    assert warnings(proven) == ["database.drift"]
    deploy(proven, files)
    assert db_verify_rebuild.run(proven.call())["verified"] is True


def test_a_policy_of_off_looks_at_nothing(proven: Host) -> None:
    by_hand(proven, "alter table app.notes add column extra int")
    outcome = deploy(proven, FILES | MORE, proof="off")
    assert (outcome.status, warnings(proven)) == ("skipped", [])


@pytest.mark.parametrize(("policy", "goes_on"), [("required", False), ("auto", True), ("warn", True)])
def test_without_server_programs_nothing_is_claimed(
    host: Host, monkeypatch: pytest.MonkeyPatch, policy: str, goes_on: bool
) -> None:
    provisioned(host)
    monkeypatch.setattr(scratch, "_BINARIES", ("/nowhere/{}/bin",))
    if goes_on:
        assert deploy(host, FILES, proof=policy).result["proof"] == {"proven": False, "reason": "proof.no_server"}
        assert warnings(host) == ["proof.no_server"]
    else:
        error = refusal(host, FILES, proof=policy)
        assert error.id == "proof.no_server"
        assert f"postgresql-{major()}" in error.remedy("en")


def test_without_server_programs_a_change_by_hand_is_still_found(proven: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_BINARIES", ("/nowhere/{}/bin",))
    by_hand(proven, "alter table app.notes add column extra int")
    assert refusal(proven, FILES | MORE).id == "database.drift"


def test_a_database_changed_between_proof_and_migration_breaks_the_promise(proven: Host) -> None:
    ctx = proven.context(FILES | MORE)
    ctx.step = "prove"
    Prove().apply(ctx)
    by_hand(proven, "create table app.sudden (id int)")
    ctx.step = "migrate"
    with pytest.raises(IkomaError) as caught:
        Migrate().apply(ctx)
    assert caught.value.id == "database.promise_broken"
    assert "table app.sudden" in caught.value.message("en")


def test_a_worker_killed_before_the_fingerprint_was_stored_is_no_change_by_hand(proven: Host) -> None:
    ctx = proven.context(FILES | MORE)
    with connect(proven.dsn(), "tests") as connection:
        kept = connection.execute("select content, digest, history from ikoma.fingerprints where kind = 'schema'")
        before = kept.fetchone()
    Migrate().apply(ctx)
    with connect(proven.dsn(), "tests") as connection:  # as it was a moment before the step ended
        connection.execute("update ikoma.fingerprints set content = %s, digest = %s, history = %s "
                           "where kind = 'schema'", before)  # fmt: skip
    assert deploy(proven, FILES | MORE).result["proof"]["rebuilt"] is True
    assert deploy(proven, FILES | MORE).result["proof"]["rebuilt"] is False


def test_extensions_settings_and_rights_from_before_the_first_migration_are_taken_over(
    host: Host, cluster: Cluster
) -> None:
    provisioned(host)
    with cluster.inside(host.dsn()) as admin:
        admin.execute("create schema extensions; create extension citext with schema extensions; "
                      "grant usage on schema extensions to suite_staging_migrator; "
                      "create extension pageinspect; alter database suite_staging set work_mem = '9MB'; "
                      "alter database suite_staging set search_path = public, extensions")  # fmt: skip
    files = FILES | {"0003_uses.sql": "create table public.words (word citext);"}
    assert deploy(host, files).result["proof"]["proven"] is True
    assert db_verify_rebuild.run(host.call())["differences"] == []
    with cluster.inside(host.dsn()) as admin:
        admin.execute("alter database suite_staging set work_mem = '10MB'")
    assert "setting database work_mem" in refusal(host, files).message("en")


FILLING = (
    "create table app.filled as select repeat(md5(n::text), 30) as text from generate_series(1, {rows}) n;\n"
    "create table app.more as select * from app.filled;\n"
)


def test_a_migration_that_would_fill_the_disk_is_stopped_before_live_is_touched(proven: Host) -> None:
    backups = {"max_gb": 0.1}
    error = refusal(proven, FILES | {"0003_filled.sql": FILLING.format(rows=1_500_000)}, backups=backups)
    assert error.id == "proof.over_disk"
    assert int(error.params["most"]) == room.OWN_MB + 102
    assert "backups.max_gb" in error.remedy("en")
    with connect(proven.dsn(), "tests") as connection:
        assert connection.execute("select to_regclass('app.filled')").fetchone() == (None,)
    fitting = FILES | {"0003_filled.sql": FILLING.format(rows=30_000)}
    assert deploy(proven, fitting, backups=backups).result["proof"]["proven"] is True


def test_two_rebuilds_of_the_same_files_give_the_same_fingerprint(proven: Host) -> None:
    first, second = (db_verify_rebuild.run(proven.call()) for _ in range(2))
    assert first["fingerprint"] == second["fingerprint"]
