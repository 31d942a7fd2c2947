"""The runbooks: every command block is run as it stands, by bash, against a real host, in the order of the runbooks.

The blocks of both languages are the same, so what runs is what either of them says. Blocks marked ``host`` are typed
there as root, the others beside the app's repository. Rows A and B of the systems before are among them verbatim.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.app import App
from tests.faults.lab import CHECKOUT, Lab

BOOKS = CHECKOUT / "docs/runbooks"
RUN = ("deploy", "operate", "troubleshoot", "api", "roll-back", "keys")
_BLOCK = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of commands, and where it is typed."""

    on_host: bool
    commands: str


def blocks(lang: str, book: str) -> list[Block]:
    found = _BLOCK.findall((BOOKS / lang / f"{book}.md").read_text())
    assert {kind for kind, _, _ in found} <= {"sh"}, f"{book} holds a block that nobody runs"
    assert {place for _, place, _ in found} <= {"", "host"}
    return [Block(place == "host", commands) for _, place, commands in found]


@pytest.fixture(scope="module")
def site(rig: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, App, Path]]:
    """One app for all runbooks. The runbook about deploying, the first, brings the release from which one goes back."""
    lab, home = Lab(rig), tmp_path_factory.mktemp("runbooks")
    (home / "app").mkdir()
    app = App(home / "app", "myapp", {"0001_init": "create table t (id int);"})
    app.name = "myapp"
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    app.write("two")
    yield lab, app, home
    lab.inside("ikoma", "clean", "--app", "myapp", "--database")
    lab.inside("rm", "-r", "/var/backups/ikoma/myapp")  # backups outlive their app; the name is used again


def typed(lab: Lab, app: App, home: Path, block: Block) -> subprocess.CompletedProcess[str]:
    """Type a block: a shell stops at the first command that fails."""
    script = f"set -euo pipefail\n{block.commands}"
    if block.on_host:
        script = f"export API_KEY={lab.env['RIG_API_KEY']}\n{script}"
        words = [str(CHECKOUT / "scripts/rig"), "exec", "--", "bash", "-s"]
        return subprocess.run(words, input=script, capture_output=True, text=True, timeout=120)
    env = lab.environment | {"PYTHONPATH": str(CHECKOUT), "BRIDGE_CONFIG": str(home), "BRIDGE_STATE": str(home)}
    path = f"{Path(lab.command()[0]).parent}:{env['PATH']}"
    words = ["bash", "-c", script]
    return subprocess.run(words, cwd=app.repo, env=env | {"PATH": path}, capture_output=True, text=True, timeout=180)


def run(site: tuple[Lab, App, Path], book: str) -> str:
    """Type every block of a runbook; return all that was printed."""
    said = ""
    for block in blocks("en", book):
        done = typed(*site, block)
        assert done.returncode == 0, f"{book}: {block.commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        said += done.stdout
    return said


def test_deploying_ends_healthy_with_what_runs_being_what_was_released(site: tuple[Lab, App, Path]) -> None:
    said = run(site, "deploy")
    assert "Deployment validated by health check" in said
    assert '"verified": true' in said


def test_the_commands_of_every_day_work_here_and_on_the_host(site: tuple[Lab, App, Path]) -> None:
    said = run(site, "operate")
    assert '"health": "healthy"' in said
    assert "deploy.apply" in said


def test_what_is_asked_in_trouble_answers_and_finds_a_sound_host_sound(site: tuple[Lab, App, Path]) -> None:
    said = run(site, "troubleshoot")
    assert "Nothing is wrong." in said
    assert "The history is whole" in said


def test_the_api_answers_on_the_host_as_it_was_typed(site: tuple[Lab, App, Path]) -> None:
    """Rows B2, B7 to B12, B14 and B17: the payload stands under ``result``."""
    said = run(site, "api")
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


def test_going_back_works_from_here_and_from_the_host(site: tuple[Lab, App, Path]) -> None:
    assert "HEALTHY" in run(site, "roll-back")


def test_a_rotation_loses_no_request(site: tuple[Lab, App, Path]) -> None:
    assert run(site, "keys").count('"health":"healthy"') == 2


def test_every_runbook_is_run() -> None:
    assert {path.stem for path in (BOOKS / "en").glob("*.md")} - {"README"} == set(RUN)


def test_a_role_that_is_too_low_is_refused_and_stands_in_the_history(site: tuple[Lab, App, Path]) -> None:
    asked = """curl -s -X POST http://localhost:3000/execute/deploy.down -H "X-Api-Key: $API_KEY" \
  -H "X-Role: observer" \
  -H "Content-Type: application/json" -d '{"appName":"myapp"}'
ikoma audit query --app myapp --result refused --limit 1
"""
    done = typed(*site, Block(True, asked))
    problem, at = json.JSONDecoder().raw_decode(done.stdout)
    assert (problem["status"], "result" in problem) == (403, False)
    assert json.loads(done.stdout[at:])["entries"][0]["capability"] == "deploy.down"


def test_compose_by_hand_that_the_agent_would_undo_is_refused_with_what_to_type(site: tuple[Lab, App, Path]) -> None:
    lab, app, home = site
    done = typed(lab, app, home, Block(True, "ikoma compose --app myapp down"))
    assert done.returncode == 2
    assert "ikoma deploy down --app myapp" in done.stderr


def test_a_history_that_was_cut_is_told_to_whoever_saw_it_before(site: tuple[Lab, App, Path]) -> None:
    """Last: it spoils the host's history, then puts it back."""
    lab, app, home = site
    ask = Block(False, "python -m bridge status --app myapp")
    typed(lab, app, home, ask)
    files = "/var/log/ikoma/audit.jsonl /var/lib/ikoma/audit.head"
    lab.inside("sh", "-c", f"tar -C / -cf /root/history.tar {files.replace(' /', ' ').lstrip('/')}")
    try:
        lab.inside("sh", "-c", "sed -i '2,$d' /var/log/ikoma/audit.jsonl; rm /var/lib/ikoma/audit.head")
        told = typed(lab, app, home, ask)
        assert told.returncode == 0
        assert "It was cut or rewritten" in told.stderr
        verified = typed(lab, app, home, Block(False, "python -m bridge audit --app myapp --verify"))
        assert verified.returncode == 1
        assert "The end of the history is missing" in verified.stdout
    finally:
        lab.inside("tar", "-C", "/", "-xpf", "/root/history.tar")
