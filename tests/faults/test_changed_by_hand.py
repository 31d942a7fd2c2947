"""Somebody changes the database by hand; the next deployment notices before it touches anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.app import App
from tests.faults.lab import CHECKOUT, Lab

MIGRATIONS = {path.stem: path.read_text() for path in (CHECKOUT / "docs/examples/suite/migrations").glob("*.sql")}
SCHEMAS = {"schemas": ["app", "billing"]}
DROPPED = "alter table billing.payments drop column {} cascade"


def by_hand(lab: Lab, app: App, statement: str) -> str:
    return lab.inside("su", "postgres", "-c", f"psql -qtA -v ON_ERROR_STOP=1 -d {app.name}", text=statement)


@pytest.fixture
def app(lab: Lab, tmp_path: Path) -> App:
    """The suite's thirteen migrations, deployed."""
    made = App(tmp_path, "handmade", dict(MIGRATIONS))
    by_hand_free(lab, made)
    made.write("one", migrations=SCHEMAS)
    first = lab.deploy(made.repo)
    assert first.code == 0, first
    assert len(first.json["migrations"]["applied"]) == 13
    details = {step["name"]: step["detail"] for step in first.json["steps"]}
    assert details["prove"].startswith("rebuilt from 13 files, equal to live"), details
    return made


def by_hand_free(lab: Lab, app: App) -> None:
    """Forget the target's database of an earlier run."""
    lab.inside("su", "postgres", "-c", "psql -q -d postgres", text=f'drop database if exists "{app.name}" with (force)')
    lab.inside("rm", "-rf", f"/srv/apps/{app.name}")


def test_a_column_dropped_by_hand_stops_the_next_deployment_which_names_it(lab: Lab, app: App) -> None:
    column = by_hand(lab, app, "select column_name from information_schema.columns where table_schema = 'billing' "
                     "and table_name = 'payments' order by ordinal_position desc limit 1").strip()  # fmt: skip
    containers = lab.containers(app.name)
    by_hand(lab, app, DROPPED.format(column))

    same = lab.deploy(app.repo)
    assert (same.code, same.json["error"]["id"]) == (1, "database.drift"), same

    app.migrations["0014_more"] = "create table app.more (id int);"
    app.write("two", migrations=SCHEMAS)
    refused = lab.deploy(app.repo)
    assert refused.code == 1, refused
    assert refused.json["error"]["id"] == "database.drift"
    assert refused.json["error"]["step"] == "prove"
    assert f"column billing.payments.{column}" in refused.json["error"]["message"]
    assert by_hand(lab, app, "select to_regclass('app.more') is null").strip() == "t"
    assert lab.containers(app.name) == containers

    diff = lab.bridge("call", "db.diff", "--app", app.name, "--json")
    shown = {item["name"]: item["sql"] for item in json.loads(diff.stdout)["differences"]}
    assert shown[f"payments.{column}"] == f"alter table billing.payments drop column {column};"
    verified = lab.bridge("call", "db.verify_rebuild", "--app", app.name, "--json")
    assert (verified.code, verified.json["verified"]) == (1, False)


def test_an_untouched_database_is_proven_again_and_recorded(lab: Lab, app: App) -> None:
    verified = lab.bridge("call", "db.verify_rebuild", "--app", app.name, "--json")
    assert verified.code == 0, verified
    assert (verified.json["verified"], verified.json["differences"]) == (True, [])
    again = lab.deploy(app.repo)
    assert again.code == 0, again
    assert {service["action"] for service in again.json["services"].values()} == {"unchanged"}
    record = json.loads(lab.inside("cat", f"/srv/apps/{app.name}/releases/{again.json['release']}/record.json"))
    assert record["fingerprint"] == verified.json["fingerprint"]
