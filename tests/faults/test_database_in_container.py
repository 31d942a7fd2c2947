"""The database runs in a container: found by its service's name, rebuilt in its own image, nothing left of that."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.faults import boxed
from tests.faults.app import ALONE, App
from tests.faults.boxed import Server
from tests.faults.lab import Lab, Ran

DATABASE = "shop"
FIRST = "create table notes (n int default extensions.answer() references auth.users);"
SLOW = "-- ikoma-allow unsure: it only waits\nselect pg_sleep(2);\ncreate table more (n int);"
LEFT = "docker ps --all --quiet --filter label=ikoma.throw-away; ls /var/lib/ikoma/proof"
FILLS = """-- ikoma-allow unsure: generated rows
create table filled as select repeat(md5(n::text), 30) as text from generate_series(1, 1200000) n;
create table more_filled as select * from filled;
"""
GONE_WITHIN = 15.0


@pytest.fixture(scope="module")
def image(rig: dict[str, str]) -> Iterator[str]:
    with boxed.image(Lab(rig)) as name:
        yield name


@pytest.fixture(scope="module")
def server(rig: dict[str, str], image: str) -> Iterator[Server]:
    with boxed.server(Lab(rig), image) as made:
        yield made


@pytest.fixture(scope="module")
def app(rig: dict[str, str], server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app that was deployed once: its migration calls what only the server's image has."""
    lab, made = Lab(rig), App(tmp_path_factory.mktemp("boxed"), "boxed", {"0001_init": FIRST}, ALONE)
    server.database(DATABASE)
    made.write("one")
    connected(lab, made, server.dsn(DATABASE))
    ran = lab.deploy(made.repo)
    assert (ran.code, ran.json["status"]) == (0, "HEALTHY"), ran
    assert {step["name"]: step["status"] for step in ran.json["steps"]}["prove"] == "done"
    assert ran.json["migrations"]["applied"] == ["0001_init"]
    server.sql("insert into notes default values", DATABASE)
    yield made
    lab.remove({made.name})


def connected(lab: Lab, app: App, dsn: str) -> None:
    pushed = lab.bridge("env", "push", "--app", app.name, "--scope", "agent", "--from-env", "SUPABASE_DB_DSN",
                        SUPABASE_DB_DSN=dsn)  # fmt: skip
    assert pushed.code == 0, pushed


def call(lab: Lab, app: App, capability: str, *words: str) -> Ran:
    return lab.bridge("call", capability, "--app", app.name, "--json", *words)


def left(lab: Lab) -> str:
    return lab.inside("sh", "-c", LEFT).strip()


def test_it_is_rebuilt_in_its_own_image_and_a_backup_restores_there_and_into_it(
    lab: Lab, app: App, server: Server
) -> None:
    verified = call(lab, app, "db.verify_rebuild")
    assert (verified.code, verified.json["verified"]) == (0, True), verified
    assert call(lab, app, "db.backup", "backupName=kept").code == 0
    restored = call(lab, app, "db.verify_backup", "backupName=kept")
    assert restored.code == 0, restored
    assert "2 tables and 2 rows equal" in restored.stderr
    server.sql("insert into auth.users values (7); insert into notes values (7)", DATABASE)
    refused = call(lab, app, "db.restore", "backupName=kept")
    assert (refused.code, refused.json["error"]["id"]) == (1, "backup.would_lose"), refused
    back = call(lab, app, "db.restore", "backupName=kept", "discard=1")
    assert back.code == 0, back
    asked = lab.inside("ikoma", "db", "console", "--app", app.name, "--", "-qtAc", "select n from notes")
    assert asked == "42\n"
    stored = call(lab, app, "db.verify_rebuild", "stored=true")
    assert (stored.code, stored.json["verified"]) == (0, True), stored
    assert left(lab) == ""


def test_what_a_killed_worker_was_rebuilding_ends_with_it(lab: Lab, app: App) -> None:
    app.migrations["0002_more"] = SLOW
    app.write("two")
    client = lab.start("pipeline", "run", "--repo", str(app.repo), "--json")
    operation = lab.wait_until_running(app.name)
    until(lab, "docker ps --quiet --filter label=ikoma.throw-away | grep .")
    lab.inside("sh", "-c", f"kill -9 $(cat /var/lib/ikoma/locks/op-{operation}.lock)")
    client.communicate(timeout=180)
    lab.wait_until_idle(app.name)
    until(lab, 'test -z "$(docker ps --all --quiet --filter label=ikoma.throw-away)"')
    again = lab.deploy(app.repo)
    assert (again.code, again.json["migrations"]["applied"]) == (0, ["0002_more"]), again
    assert left(lab) == ""


def test_a_migration_that_would_fill_the_hosts_disk_is_stopped_in_its_container(
    lab: Lab, app: App, server: Server
) -> None:
    app.migrations["0009_filled"] = FILLS
    app.write("filled", backups={"max_gb": 0.1})
    try:
        ran = lab.deploy(app.repo)
        assert (ran.code, ran.json["error"]["id"]) == (1, "proof.over_disk"), ran
        assert server.sql("select to_regclass('filled')", DATABASE) == ""
        assert left(lab) == ""
    finally:
        del app.migrations["0009_filled"]
        (app.repo / "migrations/0009_filled.sql").unlink()


def until(lab: Lab, condition: str) -> None:
    """Wait until a command succeeds on the host."""
    deadline = time.monotonic() + GONE_WITHIN
    while lab.inside("sh", "-c", f"{condition} >/dev/null && echo yes", check=False).strip() != "yes":
        assert time.monotonic() < deadline, f"not within {GONE_WITHIN:.0f} s: {condition}"
        time.sleep(0.1)


def test_it_is_found_wherever_it_is_now_unless_two_are_called_so(
    lab: Lab, app: App, server: Server, image: str
) -> None:
    before = server.address()
    lab.inside("docker", "stop", "--time", "5", server.name)
    taken = lab.inside("docker", "run", "--detach", "--entrypoint", "sleep", image, "600").strip()
    try:
        server.start()
        assert server.address() != before
        assert call(lab, app, "db.status").json["problems"] == []
    finally:
        lab.inside("docker", "rm", "--force", taken)
    words = ("--label", f"com.docker.compose.service={server.service}", "--entrypoint", "sleep", image, "600")
    second = lab.inside("docker", "run", "--detach", "--name", f"{server.name}-too", *words).strip()
    try:
        problems = call(lab, app, "db.status").json["problems"]
        assert [problem["id"] for problem in problems] == ["database.which_container"]
        assert f"{server.name}, {server.name}-too" in problems[0]["message"]
        connected(lab, app, server.dsn(DATABASE, host=server.name))
        assert call(lab, app, "db.status").json["problems"] == []
    finally:
        lab.inside("docker", "rm", "--force", second)


def test_what_somebody_changed_in_it_by_hand_is_named(lab: Lab, app: App, server: Server) -> None:
    server.sql("alter table notes add column by_hand int", DATABASE)
    changed = call(lab, app, "db.verify_rebuild")
    assert (changed.code, [item["name"] for item in changed.json["differences"]]) == (1, ["notes.by_hand"]), changed
