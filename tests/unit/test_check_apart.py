"""A second process changes how long a check takes, and nothing else."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from bridge.checks import engine
from bridge.checks.model import Finding
from bridge.workspace import apart
from tests.unit import check_cases

NINE = next(case for case in check_cases.load() if case.kind == "nine")


def found(repo: Path) -> list[tuple[Finding, frozenset[str], str]]:
    return [(finding, finding.apps, finding.fix) for finding in engine.check(repo).findings]


def test_two_processes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = check_cases.build(NINE, tmp_path / "repo")
    (repo / "apps" / "api" / "src" / "binary.ts").write_bytes(b"\0\1")
    monkeypatch.setattr(apart, "is_worth_it", lambda _files: False)
    alone = found(repo)
    monkeypatch.setattr(apart, "is_worth_it", lambda _files: True)
    assert found(repo) == alone
    assert {"IKB110", "IKB904"} <= {finding.rule for finding, _, _ in alone}


def test_the_result_of_the_copy_comes_back() -> None:
    here = os.getpid()
    pid, text = apart.start(lambda: (os.getpid(), "é" * 100_000))()
    assert pid != here
    assert text == "é" * 100_000


def test_work_that_its_copy_did_not_finish_is_done_here() -> None:
    here = os.getpid()

    def work() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    assert apart.start(work)() == here


def test_a_fault_of_the_work_is_raised_here() -> None:
    def work() -> int:
        raise ValueError("nobody foresaw this")

    with pytest.raises(ValueError, match="foresaw"):
        apart.start(work)()


def test_no_copy_is_made_of_a_process_with_threads_or_for_few_files() -> None:
    assert not apart.is_worth_it(apart.ENOUGH - 1)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert not apart.is_worth_it(apart.ENOUGH)
    finally:
        stop.set()
        thread.join()
