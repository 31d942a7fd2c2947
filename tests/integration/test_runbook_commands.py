"""The runbooks: every command block is run as it stands, by bash, against a real host, one runbook after the other.

The blocks of both languages are the same, so what runs is what either of them says. Blocks marked ``host`` are typed
there as root, the others beside the app's repository. All of it is about one app: it runs already, started by hand on
a database that is laid out as Supabase's, is adopted, and then goes through every runbook. The one about a lost host
is run by ``tests/faults/test_host_lost.py``.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.faults.app import KEEPING, App
from tests.faults.lab import CHECKOUT, Lab
from tests.fixtures.runbooks import BOOKS, Block, Desk

RUN = (
    "adopt", "supabase", "deploy", "operate", "troubleshoot", "api", "rebuild-database", "roll-back", "keys",
)  # fmt: skip
ELSEWHERE = ("host-lost",)
FIRST = {"0001_letters": "create table letters (id int primary key);"}
SECOND = {
    "0002_notes": "create table notes (id int primary key, owner uuid references auth.users (id));\n"
    "alter table notes enable row level security;\n"
    "create policy own on notes using (owner = auth.uid());"
}

SUPABASE = """\
create role anon nologin; create role authenticated nologin; create role service_role nologin;
create role runbook login createdb password 'runbook';
create database supabase owner runbook;
\\connect supabase
create schema auth; create table auth.users (id uuid primary key, email text);
create function auth.uid() returns uuid language sql stable as 'select null::uuid';
create schema storage; create table storage.buckets (id text primary key);
grant usage on schema auth, storage to runbook;
grant select, references on all tables in schema auth, storage to runbook;
set role runbook; create table letters (id int primary key); insert into letters values (1);
"""
GONE = """\
drop database if exists supabase with (force); drop database if exists elsewhere;
drop role runbook; drop role anon; drop role authenticated; drop role service_role;
"""
BY_HAND = """\
cat > /root/by-hand.json && docker compose --file /root/by-hand.json up --detach --quiet-pull
docker exec myapp-web-1 sh -c 'echo precious > /uploads/kept'
"""


def psql(lab: Lab, text: str) -> None:
    lab.inside("runuser", "-u", "postgres", "--", "psql", "-q", "--set=ON_ERROR_STOP=1", text=text)


@pytest.fixture(scope="module")
def desk(rig: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The app as somebody made it by hand, and its repository with one migration."""
    lab, home = Lab(rig), tmp_path_factory.mktemp("runbooks")
    (home / "app").mkdir()
    app = App(home / "app", "myapp", dict(FIRST), KEEPING)
    app.name = "myapp"
    app.write("one")
    psql(lab, SUPABASE)
    service = {
        "image": rig["RIG_CADDY_IMAGE"],
        "command": ["sleep", "3600"],
        "init": True,
        "volumes": ["uploads:/uploads"],
    }
    project = {"name": "myapp", "services": {"web": service}, "volumes": {"uploads": {}}}
    lab.inside("sh", "-ec", BY_HAND, text=json.dumps(project))
    dsn = f"postgresql://runbook:runbook@{rig['RIG_ADDRESS']}:5432/supabase"
    yield Desk(lab, app.repo, home, {"SUPABASE_DB_DSN": dsn})
    lab.inside("ikoma", "clean", "--app", "myapp")
    lab.inside(
        "rm", "-r", "/var/backups/ikoma/myapp", "/opt/myapp"
    )  # backups outlive their app; the name is used again
    psql(lab, GONE)


def test_a_project_that_was_started_by_hand_goes_on_with_its_data(desk: Desk) -> None:
    said = desk.run("adopt")
    assert "Deployment validated by health check" in said
    assert '"verified": true' in said
    (web,) = desk.lab.containers("myapp")
    assert desk.lab.inside("docker", "exec", web, "cat", "/uploads/kept") == "precious\n"


def test_migrations_go_into_a_database_that_is_laid_out_as_supabases(desk: Desk) -> None:
    app = App(desk.repo, "myapp", FIRST | SECOND, KEEPING)
    app.name = "myapp"
    app.write("two")
    packed = subprocess.run(["tar", "-C", desk.repo, "-c", "."], check=True, capture_output=True).stdout
    into = [str(CHECKOUT / "scripts/rig"), "exec", "--", "sh", "-c", "mkdir /opt/myapp && tar -x -C /opt/myapp"]
    subprocess.run(into, input=packed, check=True)
    said = desk.run("supabase")
    assert said.count("Applying 0002_notes.sql") == 1
    assert said.count("Supabase migration finished") == 2


def test_deploying_ends_healthy_with_what_runs_being_what_was_released(desk: Desk) -> None:
    said = desk.run("deploy")
    assert "Deployment validated by health check" in said
    assert '"verified": true' in said


def test_the_commands_of_every_day_work_here_and_on_the_host(desk: Desk) -> None:
    said = desk.run("operate")
    assert '"health": "healthy"' in said
    assert "deploy.apply" in said


def test_what_is_asked_in_trouble_answers_and_finds_a_sound_host_sound(desk: Desk) -> None:
    said = desk.run("troubleshoot")
    assert "Nothing is wrong." in said
    assert "The history is whole" in said


def test_the_api_answers_on_the_host_as_it_was_typed(desk: Desk) -> None:
    """Rows B2, B7 to B12, B14 and B17: the payload stands under ``result``."""
    said = desk.run("api")
    decoder, at, results = json.JSONDecoder(), 0, []
    while at < len(said.rstrip()):
        found, at = decoder.raw_decode(said, at)
        results.append(found["result"])
    check, status, verified, health, template, down, up, restarted, backup, failures = results
    assert check["healthy"] is True
    assert {check["checks"][name] for name in ("docker", "postgres", "appsRoot")} == {True}
    assert status["dockerRunning"] is True
    assert verified["verified"] is True
    assert health["health"] == "healthy"
    assert isinstance(template, str)
    assert [one["status"] for one in (down, up, restarted)] == ["DONE", "HEALTHY", "HEALTHY"]
    assert backup["backup"]["name"] == "myapp-20260101.sql"
    assert {line["result"] for line in failures["entries"]} <= {"error"}


def test_the_database_is_rebuilt_elsewhere_from_its_files_and_from_a_backup(desk: Desk) -> None:
    said = desk.run("rebuild-database")
    assert '"verified": true' in said
    assert "before-the-move.dump: OK" in said
    assert "0002_notes" in said


def test_going_back_works_from_here_and_from_the_host(desk: Desk) -> None:
    assert "HEALTHY" in desk.run("roll-back")


def test_a_rotation_loses_no_request(desk: Desk) -> None:
    assert desk.run("keys").count('"health":"healthy"') == 2


def test_every_runbook_is_run() -> None:
    assert {path.stem for path in (BOOKS / "en").glob("*.md")} - {"README"} == {*RUN, *ELSEWHERE}


def test_the_two_commands_of_every_day_are_typed_as_they_always_were(desk: Desk) -> None:
    """Row C2: the installed program is called ``bridge``."""
    said = desk.run("", [Block(False, "bridge deploy apply\nbridge pipeline run\nbridge status")])
    assert said.count("HEALTHY") >= 3


def test_a_role_that_is_too_low_is_refused_and_stands_in_the_history(desk: Desk) -> None:
    asked = """curl -s -X POST http://localhost:3000/execute/deploy.down -H "X-Api-Key: $API_KEY" \
  -H "X-Role: observer" \
  -H "Content-Type: application/json" -d '{"appName":"myapp"}'
ikoma audit query --app myapp --result refused --limit 1
"""
    done = desk.type(Block(True, asked))
    problem, at = json.JSONDecoder().raw_decode(done.stdout)
    assert (problem["status"], "result" in problem) == (403, False)
    assert json.loads(done.stdout[at:])["entries"][0]["capability"] == "deploy.down"


def test_compose_by_hand_that_the_agent_would_undo_is_refused_with_what_to_type(desk: Desk) -> None:
    done = desk.type(Block(True, "ikoma compose --app myapp down"))
    assert done.returncode == 2
    assert "ikoma deploy down --app myapp" in done.stderr


def test_a_history_that_was_cut_is_told_to_whoever_saw_it_before(desk: Desk) -> None:
    """Last: it spoils the host's history, then puts it back."""
    ask = Block(False, "python -m bridge status --app myapp")
    desk.type(ask)
    files = "/var/log/ikoma/audit.jsonl /var/lib/ikoma/audit.head"
    desk.lab.inside("sh", "-c", f"tar -C / -cf /root/history.tar {files.replace(' /', ' ').lstrip('/')}")
    try:
        desk.lab.inside("sh", "-c", "sed -i '2,$d' /var/log/ikoma/audit.jsonl; rm /var/lib/ikoma/audit.head")
        told = desk.type(ask)
        assert told.returncode == 0
        assert "It was cut or rewritten" in told.stderr
        verified = desk.type(Block(False, "python -m bridge audit --app myapp --verify"))
        assert verified.returncode == 1
        assert "The end of the history is missing" in verified.stdout
    finally:
        desk.lab.inside("tar", "-C", "/", "-xpf", "/root/history.tar")
