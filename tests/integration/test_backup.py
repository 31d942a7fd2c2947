"""Backups and restores of a real PostgreSQL: whole or not at all, never over live, whatever is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agent.database.backup import dump, restore, store, verify
from agent.database.backup.source import Source, mover
from agent.database.connect import connect
from agent.database.fingerprint import catalog
from agent.database.proof import room
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from tests.integration.postgres import PASSWORD, Cluster

SCHEMA = """
    create schema app;
    create table app.notes (id int generated always as identity primary key, text text not null);
    create table public.visits (n int);
    create view app.all_notes as select * from app.notes;
    create function app.twice(n int) returns int language sql as 'select n * 2';
    insert into app.notes (text) select 'note ' || n from generate_series(1, 500) n;
    insert into public.visits select generate_series(1, 40);
"""


@pytest.fixture
def source(cluster: Cluster, database: Dsn, tmp_path: Path) -> Source:
    """A database with rows, and its folder of backups."""
    with connect(database, "tests") as connection:
        connection.execute(SCHEMA)
    admin = replace(cluster.admin, database=database.database)
    return Source(database.database, database, tmp_path / "backups", tmp_path, "op-abcdef01", admin, ("public", "app"))


def backup(source: Source, name: str = "one") -> store.Backup:
    return dump.make(source, dump.Wanted(name, "manual"))


def ask(dsn: Dsn, query: str) -> Any:
    with connect(dsn, "tests") as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def do(dsn: Dsn, statements: str) -> None:
    with connect(dsn, "tests") as connection:
        connection.execute(statements.encode())


def digest(source: Source) -> str:
    with connect(source.strongest, "tests") as connection:
        return catalog.take(connection, owner=source.dsn.user).digest


class Notes:
    """What a restore makes durable before it acts."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def __call__(self, **facts: Any) -> None:
        self.facts |= facts


def put_back(source: Source, name: str = "one", discard: restore.Discard = None) -> tuple[restore.Restored, Notes]:
    notes = Notes()
    done = restore.restore(source, store.find(source.folder, name), discard, notes, lambda *_: None)
    return done, notes


def databases(cluster: Cluster, source: Source) -> set[str]:
    with connect(cluster.admin, "tests") as connection:
        rows = connection.execute("select datname from pg_database where datname like %s", [f"{source.slug}%"])
        return {row[0] for row in rows.fetchall()}


def test_a_backup_is_whole_private_and_carries_its_checksum(source: Source) -> None:
    made = backup(source)
    files = {path.name: path for path in source.folder.iterdir()}
    assert set(files) == {"one.dump", "one.dump.sha256", "one.schema", "one.json"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert source.folder.stat().st_mode & 0o777 == 0o700
    raw = files["one.dump"].read_bytes()
    assert files["one.dump.sha256"].read_text() == f"{hashlib.sha256(raw).hexdigest()}  one.dump\n"
    assert (made.bytes, made.rows) == (len(raw), {"app.notes": 500, "public.visits": 40})
    with pytest.raises(IkomaError) as refused:
        backup(source)
    assert refused.value.id == "backup.exists"


def test_the_password_is_in_no_command_line_and_no_environment_while_a_dump_runs(source: Source) -> None:
    """A table lock holds the dump up while we look; whatever the password is, no process list shows it."""
    seen: list[bytes] = []
    with connect(source.strongest, "tests") as locker:
        locker.execute("create schema ikoma; create table ikoma.held (n int)")
        locker.execute("begin; lock table ikoma.held in access exclusive mode")
        child = subprocess.Popen([sys.executable, "-c", _SCRIPT, _state(source), "dump"], cwd=Path(__file__).parents[2])
        try:
            _until(lambda: _collect(seen, source.dsn.database))
        finally:
            child.kill()
            child.wait()
    assert any(b"PGPASSFILE=/proc/" in text for text in seen)
    assert not any(PASSWORD.encode() in text for text in seen)


def _collect(seen: list[bytes], database: str) -> bool:
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command, around = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            except OSError:
                continue
            if b"pg_dump" in command and database.encode() in command:
                seen += [command, around]
    return bool(seen)


def test_a_backup_restores_somewhere_else_with_the_same_schema_and_rows(source: Source) -> None:
    made = backup(source)
    done = verify.verify(source, made)
    assert (done.tables, done.rows) == (2, 540)
    told = store.find(source.folder, "one").verified
    assert told is not None
    assert told["ok"]


def test_a_damaged_backup_is_found_and_never_restored(source: Source) -> None:
    made = backup(source)
    path = store.dump(source.folder, "one")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 255
    path.write_bytes(raw)
    for attempt in (lambda: verify.verify(source, made), lambda: put_back(source)):
        with pytest.raises(IkomaError) as refused:
            attempt()
        assert refused.value.id == "backup.damaged"
    told = store.find(source.folder, "one").verified
    assert told is not None
    assert not told["ok"]


def test_a_backup_that_holds_other_rows_than_it_says_is_no_backup(source: Source) -> None:
    made = replace(backup(source), rows={"app.notes": 499, "public.visits": 40})
    with pytest.raises(IkomaError) as refused:
        verify.verify(source, made)
    assert refused.value.id == "backup.not_same"
    assert "app.notes (499 → 500)" in refused.value.message("en")


def test_a_trial_that_fills_far_more_than_the_database_was_is_stopped_and_says_nothing_of_the_backup(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup(source)
    monkeypatch.setattr(room, "holding", lambda _: 1)  # an empty cluster has more
    with pytest.raises(IkomaError) as refused:
        verify.verify(source, made)
    assert refused.value.id == "backup.over_trial"
    assert "of 1 MB that it may" in refused.value.message("en")
    assert store.find(source.folder, "one").verified is None


def test_a_restore_brings_back_the_rows_and_keeps_what_live_was(cluster: Cluster, source: Source) -> None:
    before = digest(source)
    backup(source)
    do(source.dsn, f"alter database {source.slug} set statement_timeout = '77s'")
    do(source.dsn, "alter table app.notes drop column text cascade; delete from public.visits where n > 30")
    done, _ = put_back(source, discard="all")
    assert done.how == "rename"
    assert ask(source.dsn, "select count(*) from app.all_notes where text like 'note %'") == 500
    assert ask(source.dsn, "select count(*) from public.visits") == 40
    assert ask(source.dsn, "select current_setting('statement_timeout')") == "77s"
    old = replace(source.dsn, database=done.kept[0])
    assert ask(old, "select count(*) from public.visits") == 30
    assert databases(cluster, source) == {source.slug, done.kept[0]}
    do(source.dsn, f"alter database {source.slug} reset statement_timeout")
    assert digest(source) == before


def test_what_was_written_since_is_counted_and_must_be_agreed_to(source: Source) -> None:
    made = backup(source)
    assert restore.weigh(source, made).total == 0
    do(source.dsn, "insert into app.notes (text) values ('a'), ('b'), ('c'); update visits set n = 0 where n = 7")
    _until(lambda: restore.weigh(source, made).total >= 4)
    loss = restore.weigh(source, made)
    assert loss.to_json() == {
        "total": 4,
        "exact": True,
        "tables": {"app.notes": 3, "public.visits": 1},
        "migrations": [],
    }
    for discard in (None, 3):
        with pytest.raises(IkomaError) as refused:
            put_back(source, discard=discard)
        assert refused.value.id == "backup.would_lose"
        assert "discard=4" in refused.value.remedy("en")
        assert ask(source.dsn, "select count(*) from app.notes") == 503
    put_back(source, discard=4)
    assert ask(source.dsn, "select count(*) from app.notes") == 500


def test_a_refused_or_undone_restore_leaves_live_as_it_was(cluster: Cluster, source: Source) -> None:
    backup(source)
    do(source.dsn, "insert into app.notes (text) values ('kept')")
    done, notes = put_back(source, discard="all")
    assert ask(source.dsn, "select count(*) from app.notes") == 500
    assert restore.take_back(source, notes.facts) == source.slug
    assert ask(source.dsn, "select count(*) from app.notes") == 501
    assert restore.take_back(source, notes.facts) == ""
    assert databases(cluster, source) == {source.slug}
    assert done.kept


def test_sessions_that_hold_on_to_live_are_ended_by_the_swap(source: Source) -> None:
    backup(source)
    holder = psycopg.connect(**source.dsn.keywords())  # type: ignore[arg-type]
    holder.execute("begin; select * from app.notes")
    put_back(source, discard="all")
    with pytest.raises(psycopg.OperationalError):
        holder.execute("select 1")
    assert ask(source.dsn, "select count(*) from app.notes") == 500


def test_a_dump_on_a_full_disk_fails_and_leaves_nothing(source: Source) -> None:
    do(source.dsn, "insert into app.notes (text) select md5(random()::text) from generate_series(1, 20000)")
    small = source.folder.parent / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", str(small)], check=True)
    try:
        with pytest.raises(IkomaError) as refused:
            backup(replace(source, folder=small / "backups"))
        assert refused.value.id == "backup.disk_full"
        assert list((small / "backups").iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


_SCRIPT = """
import json, sys
from pathlib import Path
from agent.database.backup import dump, restore, store
from agent.database.backup.source import Source
from agent.host.files import write_json
from agent.model import dsn as dsns
state = json.loads(Path(sys.argv[1]).read_text())
folder = Path(state["folder"])
source = Source(state["slug"], dsns.parse(state["dsn"]), folder, folder.parent, "op-abcdef01",
                dsns.parse(state["admin"]), ("public", "app"))
def note(**facts):
    write_json(folder.parent / "notes.json", facts)
if sys.argv[2] == "dump":
    dump.make(source, dump.Wanted("killed", "manual"))
else:
    restore.restore(source, store.find(folder, "one"), "all", note, lambda *_: None)
print("whole", flush=True)
"""


def _state(source: Source) -> str:
    assert source.admin is not None
    path = source.folder.parent / "state.json"
    told = {"slug": source.slug, "dsn": source.dsn.url().reveal(), "admin": source.admin.url().reveal()}
    path.write_text(json.dumps(told | {"folder": str(source.folder)}))
    return str(path)


def _until(reached: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def killed(source: Source, what: str, begun: Callable[[], bool], after: float) -> bool:
    """Run a dump or a restore in a process of its own, kill -9 it some time after it began; return whether it ended."""
    command = [sys.executable, "-c", _SCRIPT, _state(source), what]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    _until(lambda: begun() or child.poll() is not None)
    time.sleep(after)
    os.kill(child.pid, signal.SIGKILL)
    said, _ = child.communicate()
    return "whole" in said


def test_a_dump_killed_at_any_moment_is_no_backup_and_the_next_one_is(source: Source) -> None:
    do(source.dsn, "insert into app.notes (text) select repeat(md5(n::text), 20) from generate_series(1, 60000) n")
    partial = source.folder / ".killed.partial"
    seen = []
    for after in (0.0, 0.1, 0.3):
        whole = killed(source, "dump", partial.exists, after)
        assert store.exists(source.folder, "killed") == whole
        seen.append(partial.exists())
        if whole:
            store.remove(source.folder, "killed")
        store.sweep(source.folder)
    assert True in seen  # a dump really was cut off in its middle
    made = backup(source)
    assert {path.name for path in source.folder.iterdir()} == {"one.dump", "one.dump.sha256", "one.schema", "one.json"}
    assert store.check(source.folder, made).exists()


def test_a_restore_killed_at_any_moment_is_taken_back_whole(cluster: Cluster, source: Source) -> None:
    backup(source)
    do(source.dsn, "insert into app.notes (text) values ('kept')")
    noted = source.folder.parent / "notes.json"
    seen = set()
    for after in (0.0, 0.05, 0.15, 0.25, 0.4):
        killed(source, "restore", noted.exists, after)
        seen.add(len(databases(cluster, source)))
        restore.take_back(source, json.loads(noted.read_text()))
        assert ask(source.dsn, "select count(*) from app.notes") == 501, after
        assert databases(cluster, source) == {source.slug}, after
        noted.unlink()
    assert 2 in seen  # there really was a second database when it was cut off


@pytest.fixture
def bound(cluster: Cluster, source: Source) -> Source:
    """A database that nobody may rename: a platform lives in it, and its table hangs on the app's function."""
    user = source.dsn.user
    with cluster.inside(source.dsn) as admin:
        admin.execute("create schema auth; create table auth.users (id int)")
        admin.execute(f"grant usage on schema auth to {user}; grant all on auth.users to {user}".encode())
    with connect(source.dsn, "tests") as connection:
        connection.execute("""
            create function public.welcome() returns trigger language plpgsql as
                $$ begin insert into public.visits values (-1); return new; end $$;
            create trigger on_user after insert on auth.users for each row execute function public.welcome();
        """)
    return replace(source, admin=None)


def test_where_the_database_cannot_be_renamed_its_schemas_are_swapped_at_once(bound: Source) -> None:
    assert mover(bound) is None
    backup(bound)
    before = digest(bound)
    do(bound.dsn, "delete from app.notes; drop table public.visits")
    done, notes = put_back(bound, discard="all")
    assert (done.how, done.kept) == ("schemas", ["ikoma_before_app_abcdef01", "ikoma_before_public_abcdef01"])
    assert ask(bound.dsn, "select count(*) from app.notes") == 500
    do(bound.dsn, "insert into auth.users values (1)")
    assert ask(bound.dsn, "select count(*) from public.visits where n = -1") == 1
    assert ask(bound.dsn, "select count(*) from ikoma_before_app_abcdef01.notes") == 0
    assert digest(bound) == before
    assert restore.take_back(bound, notes.facts) == "app, public"
    assert ask(bound.dsn, "select count(*) from app.notes") == 0
    assert ask(bound.dsn, "select to_regclass('public.visits') is null")
    assert restore.take_back(bound, notes.facts) == ""


def test_schemas_that_something_outside_holds_on_to_are_not_swapped(cluster: Cluster, bound: Source) -> None:
    backup(bound)
    with cluster.inside(bound.dsn) as admin:
        admin.execute("create view auth.seen as select * from public.visits")
    do(bound.dsn, "create extension hstore schema public")  # only a superuser could move it
    with pytest.raises(IkomaError) as refused:
        put_back(bound, discard="all")
    assert refused.value.id == "backup.entangled"
    assert "view auth.seen" in refused.value.message("en")
    assert "extension hstore" in refused.value.message("en")
    assert ask(bound.dsn, "select count(*) from public.visits") == 40
