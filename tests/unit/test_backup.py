"""What is decided about backups, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.capabilities import platform_check
from agent.capabilities.call import Call
from agent.database.backup import budget, names, notes, restore, store, tools, touched
from agent.database.backup.budget import Choice
from agent.database.backup.facts import Facts
from agent.database.backup.store import Backup
from agent.doors import rounds
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.contract import Backups
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.secret import Secret

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MB, GB = budget.MB, budget.GB


def backup(name: str = "one", **facts: Any) -> Backup:
    known: dict[str, Any] = {
        "name": name, "kind": "restore-point", "created": "2026-03-04T10:00:00Z", "database": "shop", "major": 15,
        "size": 100 * MB, "bytes": 10 * MB, "sha256": "0" * 64, "seconds": 2.0, "oid": 1,
    }  # fmt: skip
    return Backup(**(known | facts))


@pytest.mark.parametrize("name", ["shop-20260101.sql", "a", "A.b_c-d", "x" * 100])
def test_a_name_is_a_name(name: str) -> None:
    assert names.check(name) == name


@pytest.mark.parametrize(
    "name", ["", "../etc/passwd", "/etc/passwd", "a/b", ".hidden", "-rf", "a..b", "a b", "a\0", "é", "x" * 101, 7, None]
)
def test_a_path_is_no_name(name: object) -> None:
    with pytest.raises(IkomaError) as refused:
        names.check(name)
    assert refused.value.id == "backup.name"


def test_what_lies_beside_a_database_is_named_after_it_and_fits() -> None:
    assert names.beside("shop", "before", "0198-ABCD-12345678") == "shop_before_12345678"
    assert len(names.beside("é" * 31, "before", "0198").encode()) <= 63
    assert names.kept_schema("app", "0198-abcdef01") == "ikoma_before_app_abcdef01"


def test_no_password_is_in_a_command_line_and_options_of_the_connection_are() -> None:
    dsn = Dsn("db.example", "me", "shop", Secret("p:w\\d"), 5433, (("sslmode", "require"), ("schema", "x")))
    for programs in (tools.Programs(dsn, "/pg/bin"), tools.Programs(dsn, container="c1", docker_socket="/s")):
        words = programs.argv("pg_dump", "--format=custom")
        assert "p:w" not in " ".join(words)
        assert "sslmode=require" in words[-1]
    assert words[:5] == ["docker", "exec", "-i", "-e", "PGPASSWORD"]
    with tools.Programs(dsn, "/pg/bin").environment() as env:
        path = Path(env["PGPASSFILE"])
        assert path.read_text() == "*:*:*:*:p\\:w\\\\d\n"
        assert path.stat().st_mode & 0o777 == 0o600
        assert "p:w" not in str(env)
    assert not path.exists()


CONTAINER = {
    "Id": "c1", "State": "running", "Names": ["/supabase-db"],
    "NetworkSettings": {"Networks": {"n": {"IPAddress": "10.0.0.5"}}},
    "Ports": [{"PublicPort": 54322, "PrivatePort": 5432, "Type": "tcp"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("host", "port", "inside"),
    [("supabase-db", 5432, 5432), ("10.0.0.5", 5432, 5432), ("127.0.0.1", 54322, 5432), ("127.0.0.1", 5432, 0),
     ("db.example", 54322, 0)],
)  # fmt: skip
def test_a_server_in_a_container_is_found_by_name_address_or_published_port(host: str, port: int, inside: int) -> None:
    assert tools.serves(CONTAINER, Dsn(host, "me", "shop", port=port)) == inside
    assert tools.serves(CONTAINER | {"State": "exited"}, Dsn(host, "me", "shop", port=port)) == 0


def test_an_estimate_begins_cautious_and_learns_from_the_last_backup() -> None:
    first = budget.estimate(1000 * MB, None, 0)
    assert (round(first.dump_seconds, 1), first.dump_bytes) == (20.3, 500 * MB)
    later = budget.estimate(1000 * MB, backup(), 0)
    assert (round(later.dump_seconds, 1), later.dump_bytes // MB) == (24.0, 120)
    assert budget.estimate(1000 * MB, backup(tables=["a.b"]), 0) == first


def refusals(size: int, policy: Backups, free: int = 1000 * GB) -> list[str]:
    found = budget.estimate(size, None, 10)
    return [error.id for error in budget.problems(found, policy, free, Path("/var/backups/ikoma"), "en")]


def test_a_restore_point_beyond_its_budget_is_refused_and_the_ways_out_are_named() -> None:
    assert refusals(GB, Backups()) == []
    assert refusals(100 * GB, Backups()) == ["backup.over_minutes", "backup.over_gb"]
    assert refusals(GB, Backups(), free=100 * MB) == ["backup.no_space"]
    assert refusals(20 * GB, Backups()) == []
    assert refusals(20 * GB, Backups(verify="every")) == ["backup.over_minutes", "backup.over_gb"]
    many = budget.problems(budget.estimate(0, None, 30_000), Backups(max_minutes=2), GB, Path("/b"), "en")
    assert [error.message("en") for error in many if "proof" in error.message("en")]
    found = budget.problems(budget.estimate(100 * GB, None, 1), Backups(), GB * 1000, Path("/b"), "en")[0]
    for way in ("restore-point:tables", "restore-point:snapshot:NAME", "restore-point:skip"):
        assert way in found.remedy("en")
        assert way.replace("NAME", "NOM") in found.remedy("fr")


def test_the_choice_stands_among_what_a_caller_accepts() -> None:
    assert budget.choice(["db"]) == Choice()
    assert budget.choice(["db", "restore-point:skip"]) == Choice("skip")
    assert budget.choice(["restore-point:snapshot:zfs@monday"]) == Choice("snapshot", "zfs@monday")
    for wrong in ("restore-point:", "restore-point:snapshot:", "restore-point:none"):
        with pytest.raises(IkomaError):
            budget.choice([wrong])


TOUCHED = [
    ("alter table app.notes add column x int", ["app.notes"]),
    ("update visits set n = (select max(n) from app.notes)", ["app.notes", "public.visits"]),
    ("drop table a, b.c", ["b.c", "public.a"]),
    (
        "with gone as (delete from x returning *) insert into y select * from gone",
        ["public.gone", "public.x", "public.y"],
    ),
    ("create index on app.notes (text)", ["app.notes"]),
    ("truncate a.b", ["a.b"]),
]


@pytest.mark.parametrize(("sql", "tables"), TOUCHED)
def test_the_tables_that_migrations_touch_are_read_from_the_grammar(sql: str, tables: list[str]) -> None:
    assert touched.tables([("0001_x.sql", sql)]) == tables


@pytest.mark.parametrize("sql", ["do $$ begin delete from x; end $$", "call clean()", "drop schema app cascade"])
def test_code_that_may_touch_anything_is_named(sql: str) -> None:
    with pytest.raises(IkomaError) as refused:
        touched.tables([("0001_x.sql", sql)])
    assert refused.value.id == "backup.untold"


def facts(rows: dict[str, int], writes: dict[str, int], oid: int = 1) -> Facts:
    return Facts(oid, 0, "", "", rows, writes, ["0001_a", "0002_b"])


THEN = backup(rows={"a.t": 10}, writes={"a.t": 10}, migrations=["0001_a"])


def test_what_was_written_since_is_the_more_of_counters_and_rows() -> None:
    loss = restore.compare(THEN, facts({"a.t": 10}, {"a.t": 14}))
    assert (loss.tables, loss.total, loss.exact, loss.migrations) == ({"a.t": 4}, 4, True, ["0002_b"])
    truncated = restore.compare(THEN, facts({"a.t": 0}, {"a.t": 10}))
    assert (truncated.tables, truncated.exact) == ({"a.t": 10}, True)
    fresh = restore.compare(THEN, facts({"a.t": 10, "a.new": 3}, {"a.t": 10, "a.new": 5}))
    assert fresh.tables == {"a.new": 5}


def test_counters_that_do_not_reach_back_make_the_count_a_least_one() -> None:
    another = restore.compare(THEN, facts({"a.t": 12}, {"a.t": 12}, oid=2))
    assert (another.total, another.exact) == (2, False)
    reset = restore.compare(THEN, facts({"a.t": 12}, {"a.t": 2}))
    assert (reset.total, reset.exact) == (2, False)


@pytest.mark.parametrize(
    ("total", "exact", "discard", "refused"),
    [(0, True, None, ""), (3, True, None, "backup.would_lose"), (3, True, 3, ""), (4, True, 3, "backup.would_lose"),
     (3, False, 3, "backup.may_lose"), (3, False, "all", ""), (0, False, None, "")],
)  # fmt: skip
def test_rows_are_only_lost_if_somebody_agreed(total: int, exact: bool, discard: restore.Discard, refused: str) -> None:
    loss = restore.Loss({"a.t": total} if total else {}, exact, [])
    assert _answer(loss, discard) == refused


def _answer(loss: restore.Loss, discard: restore.Discard) -> str:
    try:
        restore.consent(THEN, loss, discard)
    except IkomaError as error:
        return error.id
    return ""


def test_what_may_be_lost_is_a_number_or_all() -> None:
    assert [restore.parse(value) for value in (None, "all", 7, "7")] == [None, "all", 7, 7]
    for wrong in ("", "-1", "some", True):
        with pytest.raises(IkomaError):
            restore.parse(wrong)


def test_restore_points_beyond_the_latest_go_but_those_that_releases_need() -> None:
    found = [backup(f"rp-{number}") for number in range(5)] + [backup("mine", kind="manual")]
    assert store.superfluous(found, 2, {"rp-3"}) == ["rp-2", "rp-4"]


def test_a_set_is_due_after_its_interval_and_a_failed_attempt_waits_an_hour() -> None:
    assert rounds.push_due({}, 24, NOON)
    assert not rounds.push_due({}, 0, NOON)
    assert not rounds.push_due({"tried": "2026-03-04T11:30:00Z"}, 24, NOON)
    assert rounds.push_due({"tried": "2026-03-04T10:30:00Z"}, 24, NOON)
    assert not rounds.push_due({"tried": "2026-03-04T01:00:00Z", "pushed": "2026-03-04T01:00:00Z"}, 24, NOON)
    assert rounds.push_due({"tried": "2026-03-03T11:00:00Z", "pushed": "2026-03-03T11:00:00Z"}, 24, NOON)
    assert notes.age_hours("2026-03-04T10:30:00Z", NOON) == 1.5


def test_the_newest_backup_is_tried_once_a_day_and_never_while_it_is_fresh() -> None:
    ok = {"at": "2026-03-04T01:00:00Z", "ok": True, "reason": ""}
    assert rounds.verify_due([backup("new"), backup("old")], None, NOON) == "new"
    assert rounds.verify_due([backup("new")], "2026-03-04T01:00:00Z", NOON) == ""
    assert rounds.verify_due([backup("new")], "2026-03-03T01:00:00Z", NOON) == "new"
    assert rounds.verify_due([backup("new", created="2026-03-04T11:50:00Z")], None, NOON) == ""
    assert rounds.verify_due([backup("new"), backup("old", verified=ok)], None, NOON) == ""
    assert rounds.verify_due([backup("part", tables=["a.b"])], None, NOON) == ""
    assert rounds.verify_due([], None, NOON) == ""


def test_a_host_with_a_place_for_sets_is_warned_of_apps_whose_newest_is_too_old(tmp_path: Path) -> None:
    paths, place = Paths(tmp_path), Secret("/away")
    for slug in ("fresh", "late", "never"):
        (paths.apps / slug).mkdir(parents=True)
    paths.state.mkdir(parents=True)
    notes.note(paths, "fresh", pushed=notes.now())
    notes.note(paths, "late", pushed="2026-03-01T12:00:00Z")
    call = Call(None, {}, paths, Settings(backup_repository=place), grant=Grant("me", "observer"))
    told = [(error.id, error.params["slug"]) for error in platform_check.overdue(call)]
    assert told == [("backup.stale", "late"), ("backup.never", "never")]
    assert list(platform_check.overdue(replace(call, settings=Settings()))) == []


def test_what_a_restore_leaves_alone_is_not_lost() -> None:
    loss = restore.Loss({"app.notes": 3, "appendix.notes": 1, "auth.users": 2}, True, [])
    assert restore.within(loss, ("app", "ikoma")).tables == {"app.notes": 3}
    assert restore.within(loss, ()).total == 6
