"""Whether the running release can live with a migration: sure additions only."""

import pytest

from agent.database.compatibility import incompatible

GOOD = [
    "create table t (id int primary key, name text not null)",
    "create table t (id int); alter table t add column x int not null; create unique index on t (x)",
    "create table a.t (id int); alter table a.t enable row level security; create policy p on a.t using (true)",
    "alter table t add column note text",
    "alter table t add column n int not null default 0, add column m int generated always as identity",
    "create index on t (id)",
    "create index concurrently i on t (id)",
    "create schema s; create type s.e as enum ('a'); alter type s.e add value 'b'",
    "create view v as select 1; create function f() returns int language sql as 'select 1'",
    "insert into t values (1); comment on table t is 'x'; grant select on t to public",
    "create table t (id int); create trigger g before insert on t for each row execute function f()",
    "do $$ begin create type e as enum ('a'); exception when duplicate_object then null; end $$",
    "set lock_timeout = '5s'; vacuum analyze t; alter table t set (fillfactor = 80)",
    "alter table t add column n int; update t set n = 0; alter table t alter column n set default 0",
    "create table t (id int); create index i on t (id); drop index i; drop table t",
    "insert into t select * from u on conflict (id) do nothing; with n as (insert into t values (1) returning id) "
    "insert into u select id from n",
    "create table t (id int); insert into t values (1) on conflict (id) do update set id = 2; "
    "with d as (delete from t returning id) insert into u select id from d",
    "alter table t add column n int; insert into t (id, n) values (1, 2) on conflict (id) do update set n = 2",
    "create function f() returns void language sql begin atomic delete from t; end",
]
BAD = [
    ("drop table t", 1),
    ("alter table t drop column x", 1),
    ("alter table t rename to u", 1),
    ("alter table t alter column x type bigint", 1),
    ("alter table t add column x int not null", 1),
    ("alter table t add column x int unique", 1),
    ("alter table t add constraint c check (x > 0)", 1),
    ("create unique index on t (x)", 1),
    ("create or replace view v as select 1", 1),
    ("create or replace function f() returns int language sql as 'select 1'", 1),
    ("alter type e rename value 'a' to 'b'", 1),
    ("revoke select on t from public", 1),
    ("delete from t", 1),
    ("update t set x = 1", 1),
    ("truncate t", 1),
    ("insert into t values (1) on conflict (id) do update set x = 1", 1),
    ("with d as (delete from t returning *) insert into u select * from d", 1),
    ("insert into u with d as (update t set x = 1 returning *) select * from d", 1),
    ("insert into u select * from (with d as (delete from t returning *) select * from d) as e", 1),
    ("create table n as with d as (delete from t returning *) select * from d", 1),
    ("create table n (id int);\nwith d as (delete from t returning *) delete from n", 2),
    ("do $$ begin insert into t values (1) on conflict (id) do update set x = 1; end $$", 1),
    ("do $$ begin execute 'drop table t'; end $$", 1),
    ("do $$ begin drop table t; end $$", 1),
    ("alter table t rename column a to b", 1),
    ("drop index i", 1),
    ("select f()", 1),
    ("create table fresh (id int);\n\nalter table other.fresh drop column id", 3),
    ("create table t (id int);\ncreate trigger g before insert on u for each row execute function f()", 2),
]


@pytest.mark.parametrize("sql", GOOD)
def test_what_surely_adds_is_compatible(sql: str) -> None:
    assert incompatible([("0002_x.sql", sql)]) == []


@pytest.mark.parametrize(("sql", "line"), BAD)
def test_what_is_not_sure_counts_as_incompatible(sql: str, line: int) -> None:
    (found,) = incompatible([("0002_x.sql", sql)])
    assert (found.file, found.line) == ("0002_x.sql", line)


def test_a_table_made_by_an_earlier_pending_file_is_still_unused() -> None:
    assert (
        incompatible([("0002_a.sql", "create table t (id int)"), ("0003_b.sql", "alter table t drop column id")]) == []
    )
