"""A deployment saves the database first; a backup goes back in its place; everything of an app leaves the host."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.app import App
from tests.faults.lab import Lab, Ran


def sql(lab: Lab, app: App, statement: str) -> str:
    return lab.inside("su", "postgres", "-c", f"psql -qtA -v ON_ERROR_STOP=1 -d {app.name}", text=statement).strip()


def call(lab: Lab, app: App, capability: str, *words: str) -> Ran:
    return lab.bridge("call", capability, "--app", app.name, "--json", *words)


@pytest.fixture(scope="module")
def app(rig: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Deployed with one migration, then with a second one: there was something to save."""
    lab, repo = Lab(rig), tmp_path_factory.mktemp("saved")
    made = App(repo, "saved", {"0001_init": "create table notes (text text); insert into notes values ('first');"})
    made.write("one")
    first = lab.deploy(made.repo)
    assert first.code == 0, first
    assert "restore-point" not in [step["name"] for step in first.json["steps"]]  # there was no database
    made.migrations["0002_more"] = "alter table notes add column more text;"
    made.write("two")
    compose = (repo / "docker-compose.yml").read_text()
    mounting = compose.replace('command: ["/bin/sh"', 'volumes: ["uploads:/uploads"]\n    command: ["/bin/sh"')
    (repo / "docker-compose.yml").write_text(mounting + "volumes: {uploads: {}}\n")
    second = lab.deploy(made.repo)
    assert second.code == 0, second
    steps = [step["name"] for step in second.json["steps"]]
    assert steps[steps.index("prove") :][:3] == ["prove", "restore-point", "migrate"]
    yield made
    lab.remove({made.name})


def test_a_backup_goes_back_in_place_of_live_and_whatever_is_killed_one_whole_database_serves(
    lab: Lab, app: App, chance: random.Random
) -> None:
    listed = call(lab, app, "db.list_backups").json["backups"]
    assert [item["kind"] for item in listed] == ["restore-point"]
    assert listed[0]["migrations"] == ["0001_init"]
    record = json.loads(
        lab.inside("sh", "-c", f"cat $(grep -l 0002_more /srv/apps/{app.name}/releases/r-*/record.json)")
    )
    assert record["restore_point"] == listed[0]["name"]
    assert lab.inside("stat", "-c", "%a %U", f"/var/backups/ikoma/{app.name}/{listed[0]['name']}.dump") == "600 ikoma\n"

    saved = call(lab, app, "db.backup", "backupName=before-the-mistake.sql")
    assert saved.code == 0, saved
    assert call(lab, app, "db.verify_backup", "backupName=before-the-mistake.sql").code == 0
    sql(lab, app, "delete from notes; insert into notes values ('a mistake')")

    older = call(lab, app, "db.restore", f"backupName={listed[0]['name']}", "discard=all")
    assert older.code == 1, older
    assert "0002_more" in older.stderr + older.stdout
    refused = call(lab, app, "db.restore", "backupName=before-the-mistake.sql")
    assert refused.json["error"]["id"] in ("backup.would_lose", "backup.may_lose"), refused
    assert [step["name"] for step in refused.json["steps"]] == ["weigh"]

    lab.fault(die_at=chance.choice(["restore-database:before", "restore-database:after", "health:before"]), once=True)
    killed = call(lab, app, "db.restore", "backupName=before-the-mistake.sql", "discard=all")
    lab.fault()
    assert killed.json["status"] == "INTERRUPTED", killed
    lab.wait_until_idle(app.name)
    assert sql(lab, app, "select text from notes") == "a mistake"
    assert sorted(lab.containers(app.name).values()) == ["jobs", "web"]
    assert databases(lab, app) == [app.name]

    done = call(lab, app, "db.restore", "backupName=before-the-mistake.sql", "discard=all")
    assert done.code == 0, done
    assert sql(lab, app, "select text from notes") == "first"
    assert lab.ask(app.host) == (200, "two")
    kept = call(lab, app, "db.list_backups").json["kept"]
    assert [item["name"] for item in kept] == done.json["restored"]["kept"]
    assert databases(lab, app) == [app.name, kept[0]["name"]]
    lab.inside("su", "postgres", "-c", f"dropdb {kept[0]['name']}")


def databases(lab: Lab, app: App) -> list[str]:
    return sql(lab, app, f"select datname from pg_database where datname like '{app.name}%' order by 1").split()


def test_a_set_holds_database_roles_volumes_and_values_and_platform_check_tells_when_none_came(
    lab: Lab, app: App
) -> None:
    container = next(key for key, service in lab.containers(app.name).items() if service == "jobs")
    lab.inside("docker", "exec", container, "/bin/busybox", "sh", "-c", "echo precious > /uploads/file")
    settings = lab.inside("cat", "/etc/ikoma/settings.json")
    try:
        configure(lab, app, json.loads(settings))
        assert f"No backup set of {app.name}" in str(platform_check(lab)["warnings"])
        pushed = call(lab, app, "backup.push")
        assert pushed.code == 0, pushed
        assert pushed.json["set"]["parts"] == ["database", "roles", f"volume {app.name}_uploads", "env", "release"]
        assert f"No backup set of {app.name}" not in str(platform_check(lab)["warnings"])
        fetched = call(lab, app, "backup.fetch")
        assert fetched.code == 0, fetched
        volume = f"{fetched.json['set']['folder']}/volumes/{app.name}_uploads.tar"
        assert lab.inside("tar", "-xOf", volume, "uploads/file") == "precious\n"
        names = [item["name"] for item in call(lab, app, "db.list_backups").json["backups"]]
        assert fetched.json["set"]["backup"] in names
        away = [row["snapshot"] for row in call(lab, app, "backup.list").json["sets"]]
        assert away == [pushed.json["set"]["snapshot"]]
    finally:
        lab.inside("sh", "-c", "cat > /etc/ikoma/settings.json", text=settings)


def configure(lab: Lab, app: App, settings: dict[str, object]) -> None:
    """Give the host a place for sets, and restic itself: its administrator would install the package."""
    shared = Path(lab.env["RIG_STATE"]) / "boxes/host/share/restic"
    if not shared.exists():
        shutil.copy2("/usr/bin/restic", shared)
    lab.inside("install", "-m", "755", "/run/rig/restic", "/usr/local/bin/restic")
    lab.inside("install", "-d", "-o", "ikoma", "-m", "700", "/var/away", "/var/lib/ikoma/sets")
    tried = json.dumps({"tried": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})  # the clock's turn comes later
    note = f"/var/lib/ikoma/sets/{app.name}.json"
    lab.inside("sh", "-c", f"cat > {note} && chown ikoma: {note}", text=tried)
    words = {"backup_repository": "/var/away", "backup_password": "away from here", "backup_every_hours": 24}
    lab.inside("sh", "-c", "cat > /etc/ikoma/settings.json", text=json.dumps(settings | words))


def platform_check(lab: Lab) -> dict[str, object]:
    return lab.bridge("call", "platform.check", "--json").json
