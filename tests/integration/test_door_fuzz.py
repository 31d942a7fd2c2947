"""Requests that nobody would write: each is answered, none with a 500, a traceback, a leak or a side effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckContext
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case

from agent.capabilities import CAPABILITIES
from agent.doors import http_openapi
from tests.fixtures.doors.http import Door, opened
from tests.fixtures.operations.house import House

SECRET = "hunter2-must-not-be-seen"
schema = schemathesis.openapi.from_dict(http_openapi.document(CAPABILITIES))
QUICK = settings(
    max_examples=3, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """An open door on a host without an engine; its key ``eye`` may only look."""
    house = House(tmp_path_factory.mktemp("fuzz") / "host")
    with opened(house, door_rate=5000, door_burst=50_000, docker_socket="/nowhere/docker.sock") as door:
        door.grant("eye", "observer")
        app = house.paths.apps / "myapp"
        app.mkdir()
        (app / "app.env").write_text(f"TOKEN={SECRET}\n")
        yield door
        told = [(line["door"], line["result"]) for line in door.history() if line["key"] == "eye"]
        if len(told) > 50:  # all of them ran: they must have come further than the first refusal
            assert {("http", "ok"), ("http", "error"), ("http", "refused")} <= set(told)


def no_leak(_ctx: CheckContext, response: Response, _case: Case[Any]) -> None:
    """Whatever was asked, this is not in the answer."""
    text = response.content.decode(errors="replace")
    assert response.status_code != 500, text
    assert "Traceback" not in text
    assert ".py" not in text
    assert SECRET not in text
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert "result" not in json.loads(text)


CHECKS: list[Any] = [
    no_leak,
    schemathesis.checks.CHECKS.get_one("response_schema_conformance"),
    schemathesis.checks.CHECKS.get_one("content_type_conformance"),
    schemathesis.checks.CHECKS.get_one("status_code_conformance"),
]


@schema.include(path_regex="^/(execute|operations)/").parametrize()
@QUICK
def test_no_request_breaks_the_door_or_changes_anything(case: Case[Any], door: Door) -> None:
    before = names(door.house.paths.apps)
    response = case.call(base_url=door.url, timeout=30, headers={"X-Api-Key": door.keys["eye"]})
    case.validate_response(response, checks=CHECKS)
    assert names(door.house.paths.apps) == before


def names(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    line=st.one_of(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80),
        st.builds("v1 {} {}".format, st.sampled_from(sorted(CAPABILITIES)), st.text(st.characters(codec="ascii"))),
    ).map(lambda text: text.replace("\0", "")),
    body=st.one_of(st.binary(max_size=60), st.just(b"2\n{}"), st.just(b'17\n{"app":"../etc"} ')),
)
def test_no_line_breaks_the_ssh_door(door: Door, line: str, body: bytes) -> None:
    process = door.house.raw(line, body, key="eye")
    out, err = process.communicate(timeout=60)
    assert b"Traceback" not in out + err
    assert SECRET.encode() not in out + err
    lines = [json.loads(told) for told in out.splitlines()]
    assert lines[0]["t"] == "hello"
    if len(lines) > 1 and lines[-1]["t"] == "error":
        assert lines[-1]["error"]["id"] != "wire.internal", lines[-1]
    assert process.returncode in (0, 75, 77, 78)
    assert not (door.house.paths.root / "etc/passwd").exists()
    assert [path.name for path in door.house.paths.apps.iterdir()] == ["myapp"]
