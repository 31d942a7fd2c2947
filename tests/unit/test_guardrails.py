"""Guard-rails: each rule finds what it is for, stays silent about what nobody uses yet, and can be allowed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.database.guard import judge, squawk
from agent.model import messages
from agent.model.guardrails import BLOCKING, RULES, Known, Relation, accepted, breaking, maintained
from bridge.checks import engine
from bridge.checks.model import Severity
from bridge.checks.scope import scope

RUNNING = Known(running=True)
SUPABASE = Known(running=True, anonymous=frozenset({"anon"}))
BIG = Known({"public.t": Relation(1 << 30), "public.u": Relation(1 << 30)})
ADOPTED = Known({"public.t": Relation(1 << 20), "public.u": Relation(8192, empty=True)}, running=False)
SMALL = Known({"public.t": Relation(8192), "public.u": Relation(8192)})

CASES = [
    ("drop-table", "drop table t", RUNNING),
    ("drop-column", "alter table t drop column x", RUNNING),
    ("drop-schema", "drop schema s cascade", RUNNING),
    ("drop-database", "drop database d", RUNNING),
    ("drop-cascade", "drop type mood cascade", RUNNING),
    ("truncate", "truncate t", RUNNING),
    ("delete-all", "delete from t", RUNNING),
    ("update-all", "update t set x = 1", RUNNING),
    ("truncate", "truncate u, t", ADOPTED),
    ("delete-all", "delete from t where true", ADOPTED),
    ("delete-all", "delete from t where 1 = 1", RUNNING),
    ("delete-all", "do $$ begin delete from t; end $$", ADOPTED),
    ("delete-all", "with d as (delete from t returning *) insert into u select * from d", ADOPTED),
    ("update-all", "update t set x = 1 where true", RUNNING),
    ("drop-table", "alter table t rename to old; create table t (id int); drop table if exists old", ADOPTED),
    ("drop-table", "alter table t rename to a; alter table a rename to b; drop table if exists b", BIG),
    ("truncate", "alter table t set schema s; truncate s.t", ADOPTED),
    ("loses-rows", "delete from t where x = 1", ADOPTED),
    ("loses-rows", "do $$ begin update t set x = 1 where x = 2; end $$", ADOPTED),
    ("loses-rows", "merge into t using u on t.x = u.x when matched then delete", ADOPTED),
    ("loses-rows", "insert into t values (1) on conflict (x) do update set x = 2", ADOPTED),
    ("drop-owned", "drop owned by x", ADOPTED),
    ("drop-owned", "drop owned by current_user cascade", RUNNING),
    ("drop-object", "drop view v", RUNNING),
    ("rename", "alter table t rename to u", RUNNING),
    ("rename", "alter table t set schema s", RUNNING),
    ("column-type", "alter table t alter column x type bigint", RUNNING),
    ("not-null", "alter table t alter column x set not null", RUNNING),
    ("column-required", "alter table t add column x int not null", RUNNING),
    ("new-constraint", "alter table t add constraint c check (x > 0) not valid", RUNNING),
    ("new-constraint", "create unique index concurrently i on t (x)", RUNNING),
    ("drop-constraint", "alter table t drop constraint c", RUNNING),
    ("default", "alter table t alter column x set default 2", RUNNING),
    ("replace", "create or replace view v as select 1", RUNNING),
    ("trigger", "create trigger g before insert on t for each row execute function f()", RUNNING),
    ("row-security", "create policy p on t using (true)", RUNNING),
    ("revoke", "revoke select on t from x", RUNNING),
    ("changes-rows", "update t set x = 1 where x = 2", RUNNING),
    ("changes-rows", "insert into t values (1) on conflict (id) do update set x = 1", RUNNING),
    ("changes-rows", "with d as (delete from t where x = 1 returning *) insert into u select * from d", RUNNING),
    ("delete-all", "with d as (delete from t returning *) insert into u select * from d", RUNNING),
    ("update-all", "insert into u with d as (update t set x = 1 returning *) select * from d", RUNNING),
    ("platform-schema", "with d as (delete from auth.users returning *) select * from d", RUNNING),
    ("dynamic-sql", "do $$ begin execute 'drop table t'; end $$", RUNNING),
    ("dynamic-sql", "do $$ begin perform f(); end $$", RUNNING),
    ("dynamic-sql", "do $$ declare n int; begin select f() into n; create table n (id int); end $$", RUNNING),
    ("unsure", "select f()", RUNNING),
    ("platform-schema", "alter table auth.users add column x int", RUNNING),
    ("platform-schema", "create table storage.mine (id int)", RUNNING),
    ("platform-schema", "do $$ begin if true then insert into auth.users values (1); end if; end $$", RUNNING),
    ("platform-schema", "grant usage on schema auth to x", RUNNING),
    ("platform-schema", "grant select on all tables in schema auth to x", RUNNING),
    ("platform-schema", "revoke execute on function auth.uid() from public", RUNNING),
    ("drop-table", "do $$ begin begin drop table t; exception when others then null; end; end $$", RUNNING),
    ("delete-all", "do $$ declare r record; begin for r in delete from t returning * loop end loop; end $$", RUNNING),
    ("delete-all", "do $$ declare c cursor for delete from t returning *; begin open c; end $$", RUNNING),
    ("copy-program", "copy t from program 'id'", RUNNING),
    ("copy-program", "copy t to '/etc/passwd'", RUNNING),
    ("alter-system", "alter system set work_mem = '1GB'", RUNNING),
    ("table-without-rls", "create table t (id int)", SUPABASE),
    ("table-without-rls", "create table public.t as select 1 as id", SUPABASE),
    ("table-without-rls", "select 1 as id into t", SUPABASE),
    ("table-without-rls", "do $$ begin create table public.t (id int); end $$", SUPABASE),
    ("rls-off", "alter table t disable row level security", SUPABASE),
    ("index-blocks", "create index on t (x)", BIG),
    ("constraint-scans", "alter table t add foreign key (x) references u (id)", BIG),
    ("constraint-builds-index", "alter table t add unique (x)", BIG),
    ("not-null-scans", "alter table t alter column x set not null", BIG),
    ("table-rewrite", "alter table t alter column x type bigint", BIG),
    ("table-rewrite", "alter table t add column x uuid default gen_random_uuid()", BIG),
    ("table-rewrite", "vacuum full t", BIG),
    ("lock-table", "lock table t", BIG),
    ("refresh-blocks", "refresh materialized view t", BIG),
    ("attach-scans", "alter table t attach partition u for values in (1)", BIG),
    ("index-drop-blocks", "drop index i", RUNNING),
    ("fills-column", "alter table t add column x int; update t set x = 1", BIG),
    ("grant-anon", "grant select on t to anon", SUPABASE),
    ("grant-anon", "do $$ begin grant select on t to anon; end $$", SUPABASE),
    ("grant-anon", "grant execute on function f() to anon", SUPABASE),
    ("grant-public", "grant select on t to public", RUNNING),
    ("grant-public", "grant execute on function f(int) to public", RUNNING),
    ("grant-public", "grant usage on schema s to public", RUNNING),
    ("security-definer", "create function f() returns int language sql security definer as 'select 1'", RUNNING),
    ("default-privileges", "alter default privileges grant select on tables to x", RUNNING),
    ("view-invoker", "create view v as select 1", SUPABASE),
    ("set-role", "set role x", RUNNING),
    ("triggers-off", "set session_replication_role = replica", RUNNING),
    ("allow-no-reason", "-- ikoma-allow truncate\ntruncate t", RUNNING),
    ("allow-unused", "-- ikoma-allow trunkate: it only caches\nselect 1", RUNNING),
]
QUIET = [
    ("create table t (id int); truncate t; delete from t; drop table t", RUNNING),
    ("alter table t add column n int; create index concurrently on t (n)", RUNNING),
    ("create index on t (x); alter table t add column y int default 3", SMALL),
    ("drop table if exists gone", BIG),
    ("create table t (id int); alter table t enable row level security", SUPABASE),
    (
        "create view v with (security_invoker = true) as select 1; insert into storage.buckets (id) values ('x')",
        SUPABASE,
    ),
    ("create function f() returns int language sql security definer set search_path = '' as 'select 1'", RUNNING),
    ("create table auth.mine (id int)", Known(owned=frozenset({"auth"}))),
    ("truncate t; drop table t; alter table t rename to u; delete from u", Known({}, running=False)),
    (
        "delete from u where true; do $$ begin delete from u; end $$; truncate u; update u set x = 1 where x = 2",
        ADOPTED,
    ),
    ("alter table u rename to old; create table u (id int); drop table old; delete from u", ADOPTED),
    ("create table n (id int); alter table n rename to m; delete from m; drop table m", RUNNING),
    ("alter table t add column n int; update t set n = 1 where x = 2; insert into u values (1)", ADOPTED),
    ("drop owned by x; do $$ begin execute 'select 1'; perform f(); end $$; select f()", Known({}, running=False)),
    (
        "drop owned by x",
        Known(
            {"auth.users": Relation(1 << 20), "public.v": Relation(), "public.u": Relation(8192, True)}, running=False
        ),
    ),
    ("comment on table t is 'DROP TABLE t; TRUNCATE t'", RUNNING),
    ("insert into t select * from u where x in (select x from v) on conflict (x) do nothing", RUNNING),
    (
        "create table t as select 1 as id; alter table t enable row level security; create temp table x as select 1; "
        "create materialized view m as select 1; create table s.t as select 1",
        SUPABASE,
    ),
    (
        "do $$ begin create table t (id int); alter table t enable row level security; end $$",
        Known({}, running=False, anonymous=frozenset({"anon"})),
    ),
    ("do $$ declare r record; begin for r in select 1 loop insert into t values (r.x); end loop; end $$", RUNNING),
    ("do $$ begin create type e as enum ('a'); exception when duplicate_object then null; end $$", SUPABASE),
    ("grant connect on database auth to x; grant usage on schema public to x", SUPABASE),
    ("grant usage on schema auth to x", Known(owned=frozenset({"auth"}))),
    ("create function f() returns void language sql begin atomic delete from t; update t set x = 1; end", RUNNING),
]


@pytest.mark.parametrize(("rule", "sql", "known"), CASES)
def test_a_rule_finds_what_it_is_for(rule: str, sql: str, known: Known) -> None:
    found = [item for item in judge.judge([("0002_x.sql", sql)], known) if item.rule == rule]
    assert found, [item.rule for item in judge.judge([("0002_x.sql", sql)], known)]
    assert found[0].stops == (RULES[rule] in BLOCKING)


def test_every_rule_has_a_case_and_a_sentence_in_both_languages() -> None:
    assert {rule for rule, _, _ in CASES} | {"squawk"} == RULES.keys()
    for rule in RULES:
        assert f"guard.{rule}" in messages.catalogue()


@pytest.mark.parametrize(("sql", "known"), QUIET)
def test_what_nobody_uses_yet_may_be_changed(sql: str, known: Known) -> None:
    assert [
        item for item in judge.judge([("0002_x.sql", sql)], known) if item.stops or RULES[item.rule] == "locks"
    ] == []


def test_a_first_deployment_has_no_release_to_break_but_rows_to_lose() -> None:
    rows = Known({"public.t": Relation(1 << 20)}, running=False)
    found = judge.judge([("0001_x.sql", "alter table t rename column a to b; truncate t")], rows)
    assert [(item.rule, item.stops, item.breaks) for item in found] == [("truncate", True, False)]


def test_what_a_statement_writes_on_the_way_is_told_by_itself() -> None:
    sql = "with d as (delete from t returning *) insert into n select * from d on conflict (x) do update set x = 1"
    found = judge.judge([("0002_x.sql", f"create table n (x int); {sql}")], RUNNING)
    assert [(item.rule, item.thing, item.breaks) for item in found] == [("delete-all", "public.t", True)]


def test_rows_that_are_lost_are_no_matter_of_maintenance() -> None:
    found = judge.judge([("0001_x.sql", "delete from t where x = 1; drop owned by current_user")], ADOPTED)
    assert [(item.rule, item.thing, item.breaks) for item in found] == [
        ("loses-rows", "public.t", False), ("drop-owned", "current_user", False),
    ]  # fmt: skip
    assert maintained(found) == []
    for rule in ("changes-rows", "loses-rows"):
        (found_alone,) = judge.judge(
            [("0001_x.sql", f"-- ikoma-allow {rule}: old\ndelete from t where x = 1")], ADOPTED
        )
        assert (found_alone.rule, found_alone.reason) == ("loses-rows", "old")


def test_a_block_is_told_by_what_runs_in_it_and_is_dynamic_only_where_it_cannot_be_read() -> None:
    read, unread = "delete from t where x = 1; insert into u values (1);", "execute 'drop table u';"
    for code, rules in ((read, ["changes-rows"]), (read + unread, ["dynamic-sql", "changes-rows"])):
        found = judge.judge([("0002_x.sql", f"do $$ begin {code} end $$")], RUNNING)
        assert [(item.rule, item.breaks, item.stops) for item in found] == [(rule, True, True) for rule in rules]


def test_a_grant_names_the_schema_or_the_function_it_is_about() -> None:
    sql = "grant usage on schema s to public; grant execute on function f(int) to public"
    assert [item.thing for item in judge.judge([("0002_x.sql", sql)], RUNNING)] == ["s", "public.f"]


def test_a_comment_with_a_reason_allows_one_rule_at_one_statement() -> None:
    text = (
        "-- ikoma-allow truncate: it only caches\ntruncate cache;\n"
        "truncate ledger; -- ikoma-allow truncate: moved away\ntruncate t;"
    )
    found = judge.judge([("0002_x.sql", text)], RUNNING)
    assert [(item.line, item.reason, item.stops) for item in found] == [
        (2, "it only caches", False), (3, "moved away", False), (4, "", True),
    ]  # fmt: skip
    assert breaking(found) == ["0002_x"]


def test_a_comment_for_the_whole_file_and_what_is_inside_a_string_is_none() -> None:
    text = (
        "-- ikoma-allow-file truncate: they only cache\ntruncate a;\ntruncate b;\n"
        "comment on table c is '-- ikoma-allow drop-table: no';\ndrop table c;"
    )
    found = judge.judge([("0002_x.sql", text)], RUNNING)
    assert [item.rule for item in found if item.stops] == ["drop-table"]


def test_one_deployment_may_accept_a_file_by_its_name() -> None:
    found = judge.judge([("0002_x.sql", "drop table t"), ("0003_y.sql", "drop table u")], RUNNING)
    assert [item.file for item in accepted(found, ["0002_x"])] == ["0003_y.sql"]
    assert accepted(found, ["0002_x.sql", "0003_y"]) == []
    assert breaking(found) == ["0002_x", "0003_y"]


def test_maintenance_answers_what_breaks_and_not_what_loses_data() -> None:
    files = [("0002_x.sql", "alter table users rename column a to b;"), ("0003_y.sql", "drop table users;")]
    stopping = [item for item in judge.judge(files, Known()) if item.stops]
    assert breaking(maintained(stopping)) == ["0002_x"]
    assert {item.file for item in stopping} == {"0002_x.sql", "0003_y.sql"}


def test_the_size_of_a_locked_table_is_told() -> None:
    (found,) = judge.judge([("0002_x.sql", "create index on t (x)")], BIG)
    assert "public.t (1074 MB)" in found.error().message("en")


def test_squawk_adds_what_our_rules_have_no_word_for_and_nothing_about_new_tables() -> None:
    files = [("0002_x.sql", "create table n (id int);\nalter table n add constraint " + "c" * 70 + " check (id > 0);"),
             ("0003_y.sql", "create index concurrently " + "i" * 70 + " on t (x);")]  # fmt: skip
    _, spans = judge.examined(files, RUNNING)
    told = squawk.findings(files, spans)
    assert [(item.file, item.line, item.thing) for item in told] == [("0003_y.sql", 1, "identifier-too-long")]
    assert "[squawk: identifier-too-long]" in told[0].error().message("en")


def git(repo: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "tag.gpgsign=false", *words],
                   cwd=repo, check=True, capture_output=True)  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """One migration released as v1, another one new."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/0001_t.sql").write_text("create table t (id int, x int);\nalter table t drop column x;")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"], ["tag", "v1"]):
        git(tmp_path, *words)
    (tmp_path / "migrations/0002_less.sql").write_text("\nalter table t drop column id;")
    return tmp_path


@pytest.mark.parametrize("revision", ["", "v1"])
def test_the_check_judges_what_is_new_since_the_last_tag(repo: Path, revision: str) -> None:
    report = engine.check(repo, scope(repo, "", revision) if revision else None)
    guarded = [item for item in report.findings if item.rule == "IKB602"]
    assert [(item.file, item.line, item.severity) for item in guarded] == [
        ("migrations/0002_less.sql", 2, Severity.ERROR)
    ]
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "two")
    git(repo, "tag", "v2")
    assert [item.package for item in engine.check(repo).findings if item.rule == "IKB602"] == ["drop-column"]


def test_a_repository_that_was_never_released_is_told_without_failing(repo: Path) -> None:
    git(repo, "tag", "-d", "v1")
    guarded = [item for item in engine.check(repo).findings if item.rule == "IKB602"]
    assert [(item.file, item.severity) for item in guarded] == [("migrations/0002_less.sql", Severity.INFO)]
