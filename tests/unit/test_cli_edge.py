"""The edge of the commands: help, exactly one JSON object, exit codes, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.model.errors import Exit, IkomaError, Misuse
from bridge.cli import main
from bridge.commands import edge

CHECKOUT = Path(__file__).parents[2]
COMMANDS: list[list[str]] = [
    [], ["init"], ["pipeline"], ["pipeline", "run"], ["deploy"], ["deploy", "apply"], ["plan"], ["status"], ["attach"],
    ["logs"], ["rollback"], ["env"], ["env", "init"], ["env", "push"], ["env", "diff"], ["call"],
    ["host"], ["host", "bootstrap"], ["host", "check"], ["host", "upgrade"], ["host", "uninstall"],
]  # fmt: skip


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("BRIDGE_", "GITHUB_", "IKOMA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IKOMA_LANG", "en")
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(words)
    return int(leaving.value.code or 0)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command, "--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Usage: python -m bridge")
    assert len(command) < 2 or "Examples:" in shown


HELP = """
import sys
from bridge.cli import main
try:
    main(["--help"])
except SystemExit:
    heavy = {"paramiko", "fabric", "invoke", "pydantic", "rich", "urllib3", "requests", "github", "ruamel", "tenacity"}
    sys.exit(", ".join(sorted(heavy & set(sys.modules))) or 0)
"""


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    from bridge import __version__

    assert run("--version") == 0
    assert capsys.readouterr().out.strip() == __version__


def test_a_group_alone_is_its_help_with_a_line_for_each_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("env") == Exit.MISUSE
    shown = capsys.readouterr().err.rstrip()
    assert shown.endswith("push  Send values to the host.")
    assert "..." not in shown.partition("Commands:")[2]


def test_a_shell_is_taught_the_installed_command(tmp_path: Path) -> None:
    started, root = tmp_path / "ikoma-bridge", Path(__file__).parents[2]
    started.write_text("from bridge.cli import main\nmain()\n")
    ask = {"_IKOMA_BRIDGE_COMPLETE": "complete_bash", "COMP_WORDS": "ikoma-bridge roll", "COMP_CWORD": "1"}
    env = os.environ | {"PYTHONPATH": str(root)} | ask
    done = subprocess.run([sys.executable, started], env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["rollback"], done.stderr


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["status", "--json"], Exit.MISUSE, "cli.no_app"),
        (["status", "--app", "shop", "--json"], Exit.MISUSE, "cli.no_host"),
        (["status", "--app", "Shop!", "--json"], Exit.MISUSE, "name.bad"),
        (["status", "--nonsense", "--json"], Exit.MISUSE, "cli.usage"),
        (["pipeline", "run", "--json"], Exit.MISUSE, "cli.no_app"),
        (["pipeline", "run", "--if-busy", "perhaps", "--json"], Exit.MISUSE, "cli.usage"),
        (["deploy", "apply", "--release", "gone.tar.gz", "--json"], Exit.MISUSE, "cli.unreadable"),
        (["attach", "not-an-operation", "--json"], Exit.MISUSE, "name.operation"),
        (["call", "apps.logs", "nonsense", "--json"], Exit.MISUSE, "cli.argument"),
        (["nonsense", "--json"], Exit.MISUSE, "cli.usage"),
        (["init", "--json"], Exit.MISUSE, "guess.no_compose"),
        (["env", "push", "--app", "shop", "--from-env", "UNSET_HERE", "--json"], Exit.MISUSE, "cli.env_unset"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_failure_too_is_exactly_one_object_on_stdout(
    words: list[str], code: int, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == code
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert answer["status"] == "FAILED"
    assert answer["error"]["id"] == error
    assert set(answer["error"]) == {"id", "step", "message", "remedy"}
    assert answer["error"]["message"].splitlines()[0] in said.err


def test_without_json_a_fault_is_a_sentence_and_a_remedy_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status") == Exit.MISUSE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "No app is named, and . holds no ikoma.release.json.",
        "What to do: Name it with --app, or run this in the app's repository "
        "(python -m bridge init writes the contract).",
    ]


def test_faults_are_told_in_french_and_beside_a_machine_all_is_english(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IKOMA_LANG", "fr")
    run("status")
    assert "Aucune application n'est nommée" in capsys.readouterr().err
    run("status", "--json")
    said = capsys.readouterr()
    assert said.err.startswith("No app is named")  # as the host's own sentences are then
    assert json.loads(said.out)["error"]["message"].startswith("No app is named")


def ended(program: Callable[[], Any], *words: str) -> int:
    return edge.run(program, list(words))


def fail(error: BaseException) -> Callable[[], Any]:
    def program() -> None:
        raise error

    return program


def test_an_unforeseen_fault_is_one_line_with_a_reference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(lambda: edge._reference(None), "--json") == Exit.FAILED  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    answer = json.loads(said.out)["error"]
    assert answer["id"] == "cli.unforeseen"
    assert "AttributeError" in answer["message"]
    assert "bridge/commands/edge.py:" in answer["message"]
    monkeypatch.setenv("IKOMA_DEBUG", "1")
    ended(fail(KeyError("x")))
    assert "Traceback" in capsys.readouterr().err


def test_a_lost_connection_is_no_failure_and_names_the_operation(capsys: pytest.CaptureFixture[str]) -> None:
    lost = IkomaError("remote.detached", exit_code=Exit.DETACHED, operation="op-1", command="attach op-1",
                      destination="h", reason="r")  # fmt: skip
    assert ended(fail(lost), "--json") == Exit.DETACHED
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "RUNNING"
    assert answer["operation"] == "op-1"
    assert "attach op-1" in answer["error"]["remedy"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Misuse("cli.env_empty"), 2), (IkomaError("cli.cancelled"), 1), (KeyboardInterrupt(), 1),
     (PermissionError(13, "Permission denied", "/some/file"), 1), (ValueError("x"), 1)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_every_fault_has_its_exit_code(fault: BaseException, code: int) -> None:
    assert ended(fail(fault)) == code


def test_what_others_print_does_not_mix_with_the_object(capsys: pytest.CaptureFixture[str]) -> None:
    def program() -> None:
        print("a library talks")
        edge.console().answer({"status": "DONE"}, "done")

    assert ended(program, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"status": "DONE"}
    assert "a library talks" in said.err


def test_a_reader_that_left_is_no_traceback() -> None:
    program = [sys.executable, "-m", "bridge", "--help"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_fault(closed: str, tmp_path: Path) -> None:
    words = f"{sys.executable} -m bridge status --port nonsense {closed}"
    env = {**os.environ, "HOME": str(tmp_path)}
    checkout = Path(__file__).parents[2]
    done = subprocess.run(["/bin/sh", "-c", words], capture_output=True, text=True, env=env, cwd=checkout)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "AttributeError" not in done.stderr
