"""A migration that the running release cannot live with: refused, or applied while the app is closed."""

import json
import os
import random
from pathlib import Path

import pytest

from tests.faults.app import App
from tests.faults.lab import Lab

STEPS = ("maintenance", "restore-point", "migrate", "roll-out", "health", "commit")
MOMENTS = [f"{step}:{side}" for step in STEPS for side in ("before", "after")]
CHOSEN = (
    MOMENTS if os.environ.get("IKOMA_LONG") else random.Random(os.environ.get("IKOMA_SEED", "1")).sample(MOMENTS, 2)
)
RENAME = "alter table t rename column name to title;"


def columns(lab: Lab, app: App) -> str:
    query = "select string_agg(attname, ' ' order by attnum) from pg_attribute"
    where = "where attrelid = 't'::regclass and attnum > 0"
    command = ["runuser", "-u", "postgres", "--", "psql", "-At", "-d", app.name, "-c", f"{query} {where}"]
    return lab.inside(*command).strip()


def test_an_app_is_closed_for_what_its_release_cannot_live_with_and_comes_back_whole(lab: Lab, tmp_path: Path) -> None:
    app = App(
        tmp_path, "closed", {"0001_init": "create table t (id int, name text); insert into t values (1, 'kept');"}
    )
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first

    app.migrations["0002_rename"] = RENAME + "\nselect pg_sleep(2);"
    app.write("two")
    refused = lab.deploy(app.repo)
    assert (refused.code, refused.json["status"]) == (1, "FAILED"), refused
    assert "0002_rename" in json.dumps(refused.json["error"])
    assert (columns(lab, app), lab.ask(app.host)) == ("id name", (200, "one"))

    app.write("two", "crash", maintenance=True)
    failed = lab.deploy(app.repo)
    assert (failed.code, failed.json["status"]) == (1, "ROLLED_BACK"), failed
    assert (columns(lab, app), lab.ask(app.host)) == ("id name", (200, "one"))
    assert sorted(lab.containers(app.name).values()) == ["jobs", "web"]
    assert lab.bridge("call", "artifact.verify_release", "--app", app.name, "--json").json["verified"] is True

    app.write("two", maintenance=True)
    planned = lab.bridge("plan", "--repo", str(app.repo), "--json")
    assert "0002_rename the app is closed (503, Retry-After)" in str(planned), planned
    with lab.asking(app.host) as answers:
        done = lab.deploy(app.repo)
    assert (done.code, done.json["status"]) == (0, "HEALTHY"), done
    assert set(answers.bodies) == {"one", "two"}
    assert {failure[:30] for failure in answers.failures} == {"503 This app is being updated."}, answers.failures
    assert (columns(lab, app), lab.ask(app.host)) == ("id title", (200, "two"))

    gone = lab.bridge("call", "apps.remove", "--app", app.name, f"confirm={app.name}", "database=true", "--json")
    assert gone.code == 0, gone


@pytest.mark.parametrize("moment", CHOSEN)
def test_a_worker_killed_while_an_app_is_closed_leaves_it_open_and_whole(lab: Lab, tmp_path: Path, moment: str) -> None:
    app = App(
        tmp_path, f"shut-{moment.replace(':', '-')}",
        {"0001_init": "create table t (id int, name text); insert into t values (1, 'kept');"},
    )  # fmt: skip
    app.write("one", maintenance=True)
    assert lab.deploy(app.repo).code == 0
    app.migrations["0002_rename"] = RENAME
    app.write("two", maintenance=True)
    lab.fault(die_at=moment, once=True)
    try:
        killed = lab.deploy(app.repo)
        lab.wait_until_idle(app.name)
    finally:
        lab.fault()
    assert killed.json["status"] in ("INTERRUPTED", "HEALTHY"), killed
    whole = {"one": "id name", "two": "id title"}
    code, served = lab.ask(app.host)
    assert (code, columns(lab, app)) == (200, whole.get(served)), (served, killed)
    assert sorted(lab.containers(app.name).values()) == ["jobs", "web"]
    assert lab.lock_is_free(app.name)
    again = lab.deploy(app.repo)
    assert (again.code, again.json["status"]) == (0, "HEALTHY"), again
    assert (lab.ask(app.host), columns(lab, app)) == ((200, "two"), "id title")
    gone = lab.bridge("call", "apps.remove", "--app", app.name, f"confirm={app.name}", "database=true", "--json")
    assert gone.code == 0, gone
