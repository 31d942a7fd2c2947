"""Ctrl-C and SIGTERM: what runs here ends, nothing comes after it, and it is told like any other end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import process
from bridge.cli import main

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def _interrupted_soon() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # CI may have started us with it ignored
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    yield
    timer.cancel()
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interrupted_soon")
def test_an_interruption_ends_the_program_and_nothing_comes_after_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        process.run(["sleep", "60"], timeout=30)


@pytest.mark.usefixtures("_interrupted_soon")
@pytest.mark.parametrize("asked", [2, 99])
def test_a_program_that_misses_the_request_is_asked_again_and_ended_at_last(
    asked: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "_PATIENCE", 0.2)
    deaf = f"import signal, sys, time\ntimes = []\ndef no(*_):\n    times.append(1)\n    if len(times) == {asked}:\n"
    deaf += "        sys.exit(0)\nsignal.signal(signal.SIGTERM, no)\nfor _ in range(600):\n    time.sleep(0.1)\n"
    (tmp_path / "deaf.py").write_text(deaf)
    with pytest.raises(KeyboardInterrupt):
        process.run([sys.executable, str(tmp_path / "deaf.py")], timeout=30)


def test_an_interrupted_command_answers_as_any_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bridge.pipeline.settings.Where.contract", property(interrupt))
    with pytest.raises(SystemExit) as leaving:
        main(["status", "--json"])
    assert leaving.value.code == 1
    assert json.loads(capsys.readouterr().out)["error"]["id"] == "cli.cancelled"


def test_a_cancelled_job_is_tidied_up_after() -> None:
    script = """
import os, signal
from bridge.commands import edge
def program():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    finally:
        print("tidied up")
raise SystemExit(edge.run(program, ["--json"]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, timeout=60)
    assert done.returncode == 1
    assert "tidied up" in done.stderr
    assert json.loads(done.stdout)["error"]["id"] == "cli.cancelled"
