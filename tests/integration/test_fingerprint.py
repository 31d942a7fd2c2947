"""The fingerprint against a real PostgreSQL: what changes it, and what must not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from agent.database.backup import tools
from agent.database.connect import connect
from agent.database.fingerprint import catalog
from agent.database.fingerprint.compare import Difference, compare
from agent.database.fingerprint.model import Fingerprint, unpack
from agent.database.proof import witness
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.secret import Secret
from tests.integration.postgres import Cluster, major

FOLDER = Path(__file__).parents[1] / "fixtures" / "schema"
BASE = (FOLDER / "base.sql").read_text()
MUTATIONS: list[list[str]] = json.loads((FOLDER / "mutations.json").read_text())


class Copies:
    """The base schema in a database of its own, and copies of it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.base = cluster, cluster.database()
        self.run(self.base, BASE)
        self.taken = take(self.base)

    def run(self, dsn: Dsn, text: str, *, superuser: bool = False) -> None:
        with self.cluster.inside(dsn) if superuser else connect(dsn, "tests") as connection:
            if superuser:
                connection.execute("set allow_system_table_mods = on")
            connection.execute(text.encode())

    def copy(self) -> Dsn:
        """Return a copy with the same owner."""
        with connect(self.cluster.admin, "tests") as admin:
            name = f"{self.base.database}_{random.randrange(10**9)}"
            words = sql.SQL("create database {} owner {} template {}")
            admin.execute(words.format(*map(sql.Identifier, (name, self.base.user, self.base.database))))
        return replace(self.base, database=name)

    def drop(self, dsn: Dsn) -> None:
        with connect(self.cluster.admin, "tests") as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(dsn.database)))


def take(dsn: Dsn) -> Fingerprint:
    with connect(dsn, "tests") as connection:
        return catalog.take(connection)


@pytest.fixture(scope="module")
def copies(cluster: Cluster) -> Copies:
    with connect(cluster.admin, "tests") as admin:
        admin.execute("create role app_reader")
    made = Copies(cluster)
    with connect(cluster.admin, "tests") as admin:
        admin.execute(f"grant app_reader to {made.base.user}".encode())
        admin.execute(f"grant create on database {made.base.database} to {made.base.user}".encode())
    with cluster.inside(made.base) as admin:  # so that a table may be given to it
        admin.execute("grant create on schema app, billing to app_reader")
    made.taken = take(made.base)
    return made


@pytest.fixture
def copy(copies: Copies) -> Iterator[Dsn]:
    made = copies.copy()
    yield made
    copies.drop(made)


def test_of_every_kind_of_object_the_second_witness_says_the_same_twice(cluster: Cluster, copies: Copies) -> None:
    again = cluster.database()
    copies.run(again, BASE)
    names = [key.name for key in copies.taken.objects if key.kind == "schema"]
    one, two = (witness.dumped(tools.of(dsn, major()), names) for dsn in (copies.base, again))
    assert list(witness.differences(one, two)) == []
    assert len(witness.objects(one)) > 40


def differences(copies: Copies, dsn: Dsn) -> list[Difference]:
    return compare(take(dsn), copies.taken)


@pytest.mark.parametrize("case", MUTATIONS, ids=[case[0] for case in MUTATIONS])
def test_a_change_by_hand_is_named_with_the_statement_that_explains_it(
    copies: Copies, copy: Dsn, case: list[str]
) -> None:
    _, statement, kind, name, explained, *superuser = case
    copies.run(copy, statement, superuser=bool(superuser))
    found = {difference.title: difference for difference in differences(copies, copy)}
    assert f"{kind} {name}" in found
    assert explained.lower() in found[f"{kind} {name}"].sql.lower()


def test_every_kind_of_object_is_changed_by_some_case() -> None:
    kinds = {case[2] for case in MUTATIONS}
    assert len(MUTATIONS) >= 47
    assert kinds >= {
        "table", "column", "constraint", "index", "view", "materialized view", "function", "procedure", "trigger",
        "policy", "rule", "sequence", "enum", "domain", "type", "extension", "schema", "default privileges", "setting",
        "publication", "statistics",
    }  # fmt: skip


def test_a_copy_is_equal(copies: Copies, copy: Dsn) -> None:
    assert take(copy).digest == copies.taken.digest


def test_the_same_statements_in_a_database_of_another_owner_give_the_same_fingerprint(
    copies: Copies, cluster: Cluster
) -> None:
    other = cluster.database()
    copies.run(other, BASE)
    with cluster.inside(other) as admin:
        admin.execute("grant create on schema app, billing to app_reader")
    assert [difference.to_json() for difference in compare(take(other), copies.taken)] == []


DETOURS = {
    "rows": "insert into app.people (email, name) values ('a@b', 'x')",
    "a number was drawn": "select nextval('app.tickets')",
    "a column came and went": "alter table app.people add column gone int; alter table app.people drop column gone",
    "a policy was made again": "drop policy own on app.people; create policy own on app.people for select "
    "to app_reader using (name = current_user)",
    "an index was made again": "drop index app.people_name; create index people_name on app.people (name)",
    "a privilege was taken and given": "revoke select on app.people from app_reader; "
    "grant select on app.people to app_reader",
    "public lost and got a right": "revoke execute on function app.secret(int) from public; "
    "grant execute on function app.secret(int) to public",
    "statistics were gathered": "analyze",
    "a table came and went": "create table app.gone (id int); drop table app.gone",
}


@pytest.mark.parametrize("statement", DETOURS.values(), ids=DETOURS.keys())
def test_the_same_end_state_by_another_path_is_equal(copies: Copies, copy: Dsn, statement: str) -> None:
    copies.run(copy, statement)
    assert [difference.to_json() for difference in differences(copies, copy)] == []


def test_the_order_in_which_independent_objects_were_made_means_nothing(cluster: Cluster) -> None:
    parts = [
        f"create table t{n} (id int primary key, v text); grant select on t{n} to app_reader; "
        f"create view v{n} as select id from t{n}; create function f{n}() returns int language sql as 'select {n}'"
        for n in range(6)
    ]
    seen = set()
    for seed in range(3):
        dsn = cluster.database()
        with cluster.inside(dsn) as admin:
            admin.execute(f"grant create on schema public to {dsn.user}".encode())
            admin.execute(f"alter schema public owner to {dsn.user}".encode())
        with connect(dsn, "tests") as connection:
            for part in random.Random(seed).sample(parts, len(parts)):
                connection.execute(part.encode())
        seen.add(take(dsn).digest)
    assert len(seen) == 1


def test_what_a_dropped_table_takes_with_it_is_not_told_again(copies: Copies, copy: Dsn) -> None:
    copies.run(copy, "drop table billing.invoices cascade")
    assert {difference.title for difference in differences(copies, copy)} == {
        "table billing.invoices", "materialized view app.totals",
    }  # fmt: skip


def test_of_a_changed_object_only_what_differs_is_shown(copies: Copies, copy: Dsn) -> None:
    copies.run(copy, "alter table app.people alter column name drop not null")
    assert [difference.to_json() for difference in differences(copies, copy)] == [{
        "schema": "app", "kind": "column", "name": "people.name", "live": "–", "rebuilt": "not_null: yes",
        "sql": "alter table app.people alter column name drop not null;",
    }]  # fmt: skip


@pytest.mark.parametrize("mutation", [case for case in MUTATIONS if case[4].endswith(";") and len(case) == 5],
                         ids=lambda case: case[0])  # fmt: skip
def test_a_statement_that_explains_all_leads_there(copies: Copies, copy: Dsn, mutation: list[str]) -> None:
    copies.run(copy, mutation[1])
    changed = take(copy)
    again = copies.copy()
    for difference in compare(changed, copies.taken):
        copies.run(again, difference.sql)
    assert [difference.title for difference in compare(changed, take(again))] == []
    copies.drop(again)


def test_a_platform_schema_is_left_out_but_not_what_the_app_hung_on_its_tables(
    copies: Copies, copy: Dsn, cluster: Cluster
) -> None:
    copies.run(copy, "create schema auth; create table auth.users (id int); grant all on schema auth to public; "
               "grant all on auth.users to public", superuser=True)  # fmt: skip
    assert differences(copies, copy) == []
    hung = (
        "create policy mine on auth.users using (true); create trigger t before insert on auth.users "
        "for each row execute function app.touch()"
    )
    copies.run(copy, hung, superuser=True)
    assert {difference.title for difference in differences(copies, copy)} == {
        "policy auth.users.mine", "trigger auth.users.t",
    }  # fmt: skip


def test_a_schema_with_a_platforms_name_that_the_migrations_made_counts(copies: Copies, copy: Dsn) -> None:
    copies.run(copy, "create schema auth")
    assert [difference.title for difference in differences(copies, copy)] == ["schema auth"]


def test_a_fingerprint_survives_being_stored(copies: Copies) -> None:
    again = unpack(copies.taken.pack())
    assert again.digest == copies.taken.digest
    assert again.objects == dict(copies.taken.objects)
    with pytest.raises(IkomaError) as caught:
        unpack(b"no fingerprint")
    assert caught.value.id == "database.fingerprint"


def test_values_of_user_mappings_never_enter_a_fingerprint(copies: Copies, copy: Dsn) -> None:
    secret = Secret("Hunter2-mapping")
    copies.run(copy, "create extension postgres_fdw; create server there foreign data wrapper postgres_fdw; "
               f"create user mapping for public server there options (user 'u', password '{secret.reveal()}')",
               superuser=True)  # fmt: skip
    with copies.cluster.inside(copy) as connection:
        taken = catalog.take(connection)
    assert any(key.kind == "user mapping" for key in taken.objects)
    assert secret.reveal() not in "".join(taken.objects.values())
