"""What ``platform.check`` says of a host where a program does not do what it should: always with a next step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.capabilities import platform_check
from agent.capabilities.call import Call
from agent.host import process
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError

FAULTS: dict[str, dict[str, Any]] = {
    "process.missing": {"program": "docker"},
    "process.timeout": {"program": "docker", "seconds": 20},
    "process.failed": {"program": "docker compose version", "code": 1, "said": "unknown command"},
}


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_compose_that_does_not_answer_comes_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str, lang: str
) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise IkomaError(fault, **FAULTS[fault])

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(platform_check, "CHECKS", {"compose": platform_check.CHECKS["compose"]})
    answer = platform_check.run(Call(None, {}, Paths(tmp_path), Settings(), lang=lang))
    assert answer["checks"] == {"compose": False}
    (problem,) = answer["problems"]
    assert problem["id"] == fault
    assert "docker" in problem["message"]
    assert problem["remedy"] == IkomaError(fault, **FAULTS[fault]).remedy(lang) != ""
