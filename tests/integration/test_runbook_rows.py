"""The rows of the systems before: their commands as they were typed, by bash, on one host, in order."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.model.secret import Secret
from bridge.images.artifact import Publisher
from bridge.images.registry import Client
from bridge.images.release import make_bundle, make_release
from bridge.workspace.project import Project
from tests.faults.lab import CHECKOUT, Lab
from tests.integration.rollout_fixtures import Access
from tests.integration.runbook_rows import ELSEWHERE, PHASES, ROWS, SEARCH, Typed

SETTINGS = "/etc/ikoma/settings.json"
MARK = "\x1e"
APPS = ("ikomaposte", "myapp", "broken")
FILES = {
    "docker-compose.yml": """\
services:
  web:
    image: {image}
    command: ["/bin/sh", "-c", "echo hello > /index.html; exec httpd -f -p 8080 -h /"]
    expose: ["8080"]
    init: true
    healthcheck: {{test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"], interval: 1s}}
""",
    "ikoma.release.json": '{{"app": "ikomaposte", "health": {{"window": "1s"}}}}',
    "migrations/0001_comptes.sql": "create table comptes (id int primary key);",
    "migrations/0002_lettres.sql": "create table lettres (id int primary key);",
}
LATER = {"migrations/0003_timbres.sql": "create table timbres (id int primary key);"}


@dataclass
class Place:
    """The host, and the repository that it knows as ``/opt/ikomaposte``."""

    lab: Lab
    repo: Path
    dsn: str

    def git(self, *words: str) -> str:
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        argv = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *words]
        return subprocess.run(argv, cwd=self.repo, env=env, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, branch: str, files: dict[str, str]) -> None:
        """Commit files and do as CI does: publish the release of the commit."""
        self.git("checkout", "-q", "-B", branch)
        for name, text in files.items():
            (self.repo / name).parent.mkdir(exist_ok=True)
            (self.repo / name).write_text(text.format(image=self.lab.env["RIG_BUSYBOX_IMAGE"]))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", branch)
        env = {**os.environ, **self.lab.env}
        access = Access(env["BRIDGE_REGISTRY"], env["BRIDGE_REGISTRY_USER"], Secret(env["BRIDGE_REGISTRY_TOKEN"]))
        project = Project.open(self.repo, "production")
        release = make_release(project, {}, client=Client(access, env))
        content = make_bundle(project, release)
        Publisher(access, env).publish(access.address, release.target, self.git("rev-parse", "HEAD"), content)

    def type(self, commands: list[str]) -> list[str]:
        """Type commands one after the other into one shell on the host; return what each said."""
        known = {"API_KEY": self.lab.env["RIG_API_KEY"], "IKOMA_LANG": "fr", "SUPABASE_DB_DSN": self.dsn}
        lines = [f"export {name}='{value}'" for name, value in known.items()]
        for command in commands:
            lines += [f"printf '{MARK}'", command.replace("{image}", self.lab.env["RIG_BUSYBOX_IMAGE"])]
        said = self.lab.inside("bash", "-s", text="\n".join(["set -eu", *lines, ""]))
        return said.split(MARK)[1:]


@pytest.fixture(scope="module")
def place(rig: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A host that knows a repository and its registry, and a database that somebody else made."""
    lab, repo = Lab(rig), tmp_path_factory.mktemp("ikomaposte")
    dsn = f"postgresql://posteur:se%23cret@{rig['RIG_ADDRESS']}:5432/poste"
    here = Place(lab, repo, dsn)
    here.git("init", "-q")
    here.commit("main", FILES)
    here.commit("next", LATER)
    here.git("checkout", "-q", "main")
    lab.inside("sh", "-ec", f"cp -p {SETTINGS} {SETTINGS}.kept; mkdir /opt/ikomaposte")
    packed = subprocess.run(["tar", "-C", repo, "-cz", "."], check=True, capture_output=True).stdout
    unpack = [str(CHECKOUT / "scripts/rig"), "exec", "--", "sh", "-c",
              "tar -xz -C /opt/ikomaposte && chown -R ikoma: /opt/ikomaposte"]  # fmt: skip
    subprocess.run(unpack, input=packed, check=True)
    settings = json.loads(lab.inside("cat", SETTINGS)) | {
        "registry": rig["BRIDGE_REGISTRY"],
        "registry_user": rig["BRIDGE_REGISTRY_USER"],
        "registry_token": rig["BRIDGE_REGISTRY_TOKEN"],
        "repositories": {"ikomaposte": {"url": "file:///opt/ikomaposte"}},
    }
    lab.inside("sh", "-c", f"cat > {SETTINGS}", text=json.dumps(settings))
    lab.inside("runuser", "-u", "postgres", "--", "psql", "-q",
               text="create role posteur login password 'se#cret'; create database poste owner posteur;")  # fmt: skip
    yield here
    _tidy(lab)


def _tidy(lab: Lab) -> None:
    lab.inside("sh", "-c", f"mv {SETTINGS}.kept {SETTINGS}; rm -rf /opt/ikomaposte")
    lab.remove(set(APPS))
    for app in APPS:
        lab.inside("sh", "-c", f"rm -rf /srv/apps/{app} /var/backups/ikoma/{app}")
    lab.inside("runuser", "-u", "postgres", "--", "psql", "-q", text="drop database poste; drop role posteur;")


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_is_typed_as_it_stands_and_answers_as_its_rows_say(place: Place, phase: str) -> None:
    steps = PHASES[phase]
    said = place.type([step.command for step in steps])
    assert len(said) == len(steps)
    for step, answer in zip(steps, said, strict=True):
        assert step.shows(answer), f"{step.rows}: {step.command}\n{answer[-3000:]}"


def test_whoever_asks_the_doctor_is_told_what_is_wrong_with_app_and_host_and_what_to_do(place: Place) -> None:
    """Row B20: a value is missing, a port is taken, the database does not answer, the disk is full."""
    kept = place.lab.inside("cat", SETTINGS)
    worse = json.loads(kept) | {"min_free_mb": 10**9, "admin_dsn": "postgresql://a:b@127.0.0.1:1/c"}
    place.lab.inside("sh", "-c", f"cat > {SETTINGS}", text=json.dumps(worse))
    try:
        for _ in range(10):  # the HTTP door, which holds the port, begins anew when the settings change
            asked = place.lab.bridge("doctor", "--app", "broken", "--json")
            if "port.held" in asked.stdout:
                break
    finally:
        place.lab.inside("sh", "-c", f"cat > {SETTINGS}", text=kept)
    assert asked.code == 1
    found = {(one["where"], one["id"]) for one in asked.json["findings"]}
    assert found >= {
        ("app", "preflight.environment"), ("app", "port.held"), ("app", "database.unreachable"),
        ("host", "platform.disk"), ("host", "database.unreachable"),
    }, asked  # fmt: skip
    assert all(one["remedy"] for one in asked.json["findings"] if one["where"] in ("app", "host"))


def test_the_password_of_the_connection_is_written_nowhere_but_in_the_agents_own_file(place: Place) -> None:
    """As the last phase has looked before it cleaned up, and once more when all is over."""
    found = place.type([SEARCH])
    assert found[0].strip() == "nowhere"


def test_no_row_is_without_a_test() -> None:
    typed = {row for steps in PHASES.values() for step in steps for row in step.rows.split()}
    assert typed | ELSEWHERE.keys() == ROWS
    for row, files in ELSEWHERE.items():
        for file in files:
            assert re.search(r"^def test_", (CHECKOUT / file).read_text(), re.MULTILINE), (row, file)


def test_every_command_serves_a_row() -> None:
    steps: list[Typed] = [step for steps in PHASES.values() for step in steps]
    assert all(set(step.rows.split()) <= ROWS and step.rows for step in steps)
