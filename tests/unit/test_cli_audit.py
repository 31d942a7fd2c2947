"""``bridge audit --verify``: what a host's history is held to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.host.audit import Head
from bridge.cli import main
from bridge.pipeline import host
from bridge.remote import heads

KEPT, REPORTED = Head(9, "a" * 64), Head(5, "b" * 64)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A host whose head was seen from here; what it is asked for is listed."""
    found: list[dict[str, Any]] = []

    def read(capability: str, body: Any) -> dict[str, Any]:
        found.append(body.args)
        return {"ok": True, "message": "whole"}

    @contextmanager
    def reach(*_: object) -> Iterator[Any]:
        yield SimpleNamespace(agent=SimpleNamespace(read=read, identity=lambda: "SHA256:host"))

    monkeypatch.setattr(host, "reach", reach)
    monkeypatch.setenv("BRIDGE_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    heads.keep("SHA256:host", KEPT)
    return found


def typed(*words: str) -> int:
    """Type the command and return its exit code."""
    with pytest.raises(SystemExit) as left:
        main(["audit", *words])
    return int(left.value.code or 0)


@pytest.mark.parametrize(("words", "head"), [((), KEPT), (("--anchor", str(REPORTED)), REPORTED)])
def test_a_history_is_held_to_what_was_seen_from_here_or_to_the_head_of_a_report(
    asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], words: tuple[str, ...], head: Head
) -> None:
    assert typed("--verify", *words, "--json") == 0
    assert asked == [{"anchor": str(head)}]
    assert json.loads(capsys.readouterr().out)["seen"] == str(head)


@pytest.mark.parametrize("anchor", ["", "null", "5:abc", str(KEPT)[:-1]])
def test_what_is_no_head_is_a_misuse_and_never_a_verification_without_one(
    asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], anchor: str
) -> None:
    assert typed("--verify", "--anchor", anchor, "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"]["id"] == "audit.anchor"
    assert asked == []


def test_an_anchor_alone_is_a_misuse(asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("--anchor", str(REPORTED)) == 2
    assert "--verify" in capsys.readouterr().err
    assert asked == []
