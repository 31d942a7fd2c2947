"""Requests that nobody would write: each is answered, none with a 500, a traceback, a leak or a side effect."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator
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
from agent.model.names import new_operation
from tests.fixtures.doors.http import Door, opened
from tests.fixtures.operations.house import House

SECRET = "hunter2-must-not-be-seen"
THEIRS = "other"
"""An app of this host that the key ``hand`` is not granted."""
COUNT = itertools.count()
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
        door.grant("hand", "builder", apps="myapp")
        theirs = house.paths.apps / THEIRS
        theirs.mkdir()
        (theirs / "app.env").write_text(f"TOKEN={SECRET}\n")
        app = house.paths.apps / "myapp"
        app.mkdir()
        (app / "app.env").write_text(f"TOKEN={SECRET}\n")
        yield door
        told = [(line["door"], line["result"]) for line in door.history() if line["key"] == "eye"]
        if len(told) > 50:  # all of them ran: they must have come further than the first refusal
            assert {("http", "ok"), ("http", "error"), ("http", "refused")} <= set(told)
        hand = [line for line in door.history() if line["key"] == "hand"]
        for at in ("http", "ssh"):
            results = [line["result"] for line in hand if line["door"] == at]
            if len(results) > 100:
                assert set(results) == {"ok", "error", "refused"}


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
    before = content(door.house.paths.root)
    response = case.call(base_url=door.url, timeout=30, headers={"X-Api-Key": door.keys["eye"]})
    case.validate_response(response, checks=CHECKS)
    assert content(door.house.paths.root) == before
    door.house.paths.api_keys.unlink(missing_ok=True)  # the key may have taken its own secret back


# --- with a key that may change: whatever is asked of one app stays in that app

MAY_WRITE = ("srv/apps/myapp", "var/lib/ikoma", "var/log/ikoma", "var/backups/ikoma/myapp")
"""Where calls of a builder of ``myapp`` leave something, below the host's root."""

REFUSED = frozenset({400, 401, 403, 404, 405, 413, 422})
REPAIRED = frozenset({"srv", "srv/apps", "var", "var/backups", "var/backups/ikoma"})
"""Folders above what may be written."""


def content(root: Path, without: Iterable[str] = ("var/lib/ikoma", "var/log/ikoma")) -> dict[str, str]:
    """Return every file and folder of the host with a hash of its content, but for the agent's own state."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if not name.startswith(tuple(without)):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return found


def elsewhere(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return what changed outside of the places that belong to ``myapp``."""
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return {name for name in changed if not name.startswith(MAY_WRITE)} - REPAIRED


def aimed(case: Case[Any], number: int) -> Case[Any]:
    """Have two of three requests name the key's own app: a foreign one gets no further than its refusal."""
    if number % 3 and isinstance(case.body, dict) and "appName" in case.body:
        case.body = {**case.body, "appName": "myapp", "environment": "production"}
    return case


@schema.include(path_regex="^/execute/").parametrize()
@QUICK
def test_no_request_of_a_builder_breaks_the_door_or_reaches_beyond_its_app(case: Case[Any], door: Door) -> None:
    root = door.house.paths.root
    before = content(root)
    response = aimed(case, next(COUNT)).call(base_url=door.url, timeout=60, headers={"X-Api-Key": door.keys["hand"]})
    case.validate_response(response, checks=CHECKS)
    after = content(root)
    assert elsewhere(before, after) == set()
    if response.status_code in REFUSED:
        assert after == before
    door.house.paths.api_keys.unlink(missing_ok=True)  # the key may have taken its own secret back


APPS = ["myapp", THEIRS, "../etc", "..", "myapp/../other", "ｍｙapp", "мyapp", "myapp\n", "MYAPP", "", "-", None, 7]
WORDS = [
    "../../etc/passwd",
    "/etc/ikoma/keys.json",
    "r-0a1b2c3d4e5f",
    "²",
    "9" * 5000,
    "$(id)",
    "`id`",
    "\u202e",
    "-rf",
    "%2e%2e",
]
ODD: list[dict[str, Any]] = [
    {"environment": "../x"}, {"environment": "staging"}, {"environment": 3}, {"lang": "xx"}, {"lang": 5},
    {"client": {"a": [1]}}, {"client": 7}, {"on_busy": "x"}, {"bundle_length": 5}, {"bundle_length": -1},
    {"bundle_length": "5"}, {"bundle_length": 5, "bundle_sha256": hashlib.sha256(b"12345").hexdigest()},
    {"credentials": {"registry": 1}},
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes]:
    """A line that is understood, and a body that nobody would send with it."""
    one = draw(st.sampled_from(sorted(CAPABILITIES.values(), key=lambda one: one.name)))
    names = st.sampled_from(one.takes) if one.takes else st.just("nonsense")
    args = draw(st.dictionaries(names, VALUES, max_size=3 if one.takes else 1) if draw(st.booleans()) else st.just({}))
    body: dict[str, Any] = {"app": draw(st.sampled_from(["myapp", "myapp", "myapp", *APPS])), "args": args}
    body |= draw(st.sampled_from([{}, {}, {}, {}, *ODD]))
    raw = json.dumps(body).encode()
    return f"v1 {one.name}" + (f" {new_operation()}" if one.changes else ""), f"{len(raw)}\n".encode() + raw + b"12345"


@settings(
    max_examples=400 if os.environ.get("IKOMA_LONG") else 60, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(asked=requests())
def test_no_request_of_a_builder_breaks_the_ssh_door_or_reaches_beyond_its_app(
    door: Door, asked: tuple[str, bytes]
) -> None:
    root = door.house.paths.root
    before = content(root)
    process = door.house.raw(*asked, key="hand")
    out, err = process.communicate(timeout=120)
    assert b"Traceback" not in out + err
    assert SECRET.encode() not in out + err
    told = [json.loads(line) for line in out.splitlines()]
    assert [one for one in told if "wire.internal" in json.dumps(one)] == [], asked
    assert elsewhere(before, content(root)) == set(), asked


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
    assert {path.name for path in door.house.paths.apps.iterdir()} <= {"myapp", THEIRS}
