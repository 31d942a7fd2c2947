"""Releases that must not go live: each ends in a message that names the cause and the remedy; the old one serves."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.app import App
from tests.faults.lab import Lab


def crashes(app: App) -> None:
    app.write("two", "crash")


def crashes_late(app: App) -> None:
    app.write("two", "late-crash", health={"timeout": "12s", "window": "4s"})


def never_gets_healthy(app: App) -> None:
    app.write("two", healthy=False)


def has_an_sql_error(app: App) -> None:
    app.migrations["0002_broken"] = "create table fine (id int);\n\nalter table nowhere add column x int;"
    app.write("two")


def needs_a_value_nobody_set(app: App) -> None:
    app.write("two")
    compose = app.repo / "docker-compose.yml"
    compose.write_text(compose.read_text().replace("${APP_SECRET:-none}", "${STRIPE_KEY}"))


def asks_for_the_docker_socket(app: App) -> None:
    app.write("two")
    compose = app.repo / "docker-compose.yml"
    compose.write_text(
        compose.read_text().replace("stop_grace_period: 3s\n    healthcheck",
            "volumes: ['/var/run/docker.sock:/s']\n    healthcheck"))  # fmt: skip


def edits_an_applied_migration(app: App) -> None:
    app.migrations["0001_init"] = "create table t (id bigint);"
    app.write("two")


BAD: list[tuple[Callable[[App], None], str, list[str]]] = [
    (crashes, "ROLLED_BACK", ["web", "cannot open the widget store"]),
    (crashes_late, "ROLLED_BACK", ["web", "lost the widget store"]),
    (never_gets_healthy, "ROLLED_BACK", ["web"]),
    (has_an_sql_error, "FAILED", ["0002_broken.sql", "3", "nowhere"]),
    (needs_a_value_nobody_set, "FAILED", ["STRIPE_KEY", "env push"]),
    (asks_for_the_docker_socket, "FAILED", ["web", "docker.sock"]),
    (edits_an_applied_migration, "FAILED", ["0001_init"]),
]


@pytest.mark.parametrize(("spoil", "status", "names"), BAD, ids=[case[0].__name__ for case in BAD])
def test_a_bad_release_leaves_the_old_one_serving(
    lab: Lab, tmp_path: Path, spoil: Callable[[App], None], status: str, names: list[str]
) -> None:
    app = App(tmp_path, "bad-" + spoil.__name__.replace("_", "-"), {"0001_init": "create table t (id int);"})
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    before = lab.containers(app.name)
    spoil(app)
    with lab.asking(app.host) as answers:
        second = lab.deploy(app.repo)
    assert second.code == 1, second
    result = second.json
    assert result["status"] == status, second
    told = result["error"]["message"] + result["error"]["remedy"]
    for name in names:
        assert name in told, told
    assert result["error"]["remedy"], told
    assert answers.failures == []
    assert set(answers.bodies) == {"one"}
    assert lab.containers(app.name) == before, "the old containers were touched"
    assert len(lab.all_containers(app.name)) == len(before), "something was left over"
    assert lab.lock_is_free(app.name)
    assert lab.bridge("status", "--app", app.name, "--json").json["release"] == first.json["release"]


def test_a_wrong_database_password_is_named_and_not_shown(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "wrongdsn", {"0001_init": "create table t (id int);"})
    app.write("one")
    assert lab.deploy(app.repo).code == 0
    lab.inside("sed", "-i", r"s#://\([^:]*\):[^@]*@#://\1:Hunter2-wrong@#", f"/srv/apps/{app.name}/agent.env")
    app.migrations["0002_more"] = "create table u (id int);"
    app.write("two")
    with lab.asking(app.host) as answers:
        second = lab.deploy(app.repo)
    assert (second.code, second.json["status"]) == (1, "FAILED"), second
    assert "Hunter2-wrong" not in second.stdout + second.stderr
    assert "password" in second.json["error"]["message"].lower(), second
    assert answers.failures == []
    assert set(answers.bodies) == {"one"}


def test_a_registry_that_is_down_leaves_the_old_release_serving(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "noregistry")
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    app.write("two")
    with lab.stopped("registry", "registry"), lab.asking(app.host) as answers:
        second = lab.deploy(app.repo)
    assert second.code == 1, second
    assert lab.env["BRIDGE_REGISTRY"] in second.json["error"]["message"], second
    assert second.json["error"]["remedy"]
    assert lab.bridge("status", "--app", app.name, "--json").json["status"] == "HEALTHY"
    assert answers.failures == []
    assert set(answers.bodies) == {"one"}


def test_an_image_that_cannot_be_pulled_is_named(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "nopull")
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    app.write("two")
    kept = tmp_path / "kept.tar.gz"
    lab.fault(sleep_at={"pull:before": 8})
    client = lab.start("pipeline", "run", "--repo", str(app.repo), "--json", "--save", str(kept))
    lab.wait_until_running(app.name)
    with lab.stopped("registry", "registry"), lab.asking(app.host) as answers:
        out, err = client.communicate(timeout=180)
    assert client.returncode == 1, err
    result = json.loads(out)
    assert (result["status"], result["error"]["step"]) == ("FAILED", "pull"), out
    assert f"{app.name}/" in result["error"]["message"]
    assert result["error"]["remedy"]
    assert answers.failures == []
    assert set(answers.bodies) == {"one"}
    lab.fault()
    again = lab.bridge("deploy", "apply", "--release", str(kept), "--repo", str(app.repo), "--json")
    assert again.code == 0, again
    assert lab.ask(app.host) == (200, "two")
