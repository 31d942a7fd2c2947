"""Each capability in each role at each door that a key opens; each app and environment that a key is not granted."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from agent.capabilities import CAPABILITIES, models
from agent.capabilities.index import Capability
from agent.model.names import new_operation
from agent.protocol import ROLES, Body
from tests.fixtures.doors.assistant import speak
from tests.fixtures.doors.http import Door, opened
from tests.fixtures.operations.house import PROGRAM, House

ALL = sorted(CAPABILITIES.values(), key=lambda one: one.name)
NONSENSE: dict[str, Any] = {"appName": "shop", "no-such-argument": 1}
LET_IN = "wire.unknown_argument"
"""What a call with nonsense gets when it was let in: it comes after the role, and before anything is done."""

FILLED: dict[str, Any] = {
    "release": "r-0a1b2c3d4e5f", "reason": "because of a test", "confirm": "shop", "backupName": "x", "through": "0001",
    "manifest": {}, "operation": new_operation(),
}  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """An open door with a key for each role, one of a single app, and one of a single environment."""
    house = House(tmp_path_factory.mktemp("roles") / "host")
    with opened(house, door_rate=5000, door_burst=50_000, docker_socket="/nowhere/docker.sock") as door:
        for role in ROLES:
            door.grant(role, role)
        door.grant("blogger", "builder", apps="blog")
        door.grant("stager", "builder")
        house.grants["stager"]["environments"] = ["staging"]
        door.grant("last", "observer")  # writes the table with what the line before changed
        yield door


def expected(role: str) -> dict[str, str]:
    return {
        one.name: LET_IN if ROLES.index(role) >= ROLES.index(one.role) else "wire.forbidden" for one in ALL
    }  # fmt: skip


def refusals(door: Door, key: str, at: str) -> Counter[str]:
    """The refused calls of a key at a door, by capability, as the history has them."""
    lines = [line for line in door.history() if (line["key"], line["door"]) == (key, at)]
    return Counter(line["capability"] for line in lines if line["result"] == "refused")


def by_assistant(door: Door, key: str, calls: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """Make all calls in one session; return the id of each answer's error."""
    asked = [{"do": "call", "name": name.replace(".", "_"), "args": args} for name, args in calls]
    command = [sys.executable, str(PROGRAM), "mcp", "--key", key]
    answers = speak(command, asked, IKOMA_ROOT=str(door.house.paths.root))
    ids = [answer["structuredContent"]["error"]["id"] for answer in answers]
    return dict(zip([name for name, _ in calls], ids, strict=True))


@pytest.mark.parametrize("role", ROLES)
def test_over_http_a_role_reaches_what_is_its_own_and_every_refusal_is_in_the_history(door: Door, role: str) -> None:
    found = {one.name: door.call(one.name, role, **NONSENSE).json["id"] for one in ALL}
    assert found == expected(role)
    forbidden = [name for name, error in found.items() if error == "wire.forbidden"]
    assert refusals(door, role, "http") == Counter(forbidden)


@pytest.mark.parametrize("role", ["observer", "operator"])
def test_a_lower_role_that_is_asked_for_is_the_one_that_counts(door: Door, role: str) -> None:
    found = {one.name: door.call(one.name, "builder", {"X-Role": role}, **NONSENSE).json["id"] for one in ALL}
    assert found == expected(role)


@pytest.mark.parametrize("role", ROLES)
def test_to_an_assistant_the_same_holds(door: Door, role: str) -> None:
    assert by_assistant(door, role, [(one.name, NONSENSE) for one in ALL]) == expected(role)
    forbidden = [name for name, error in expected(role).items() if error == "wire.forbidden"]
    assert refusals(door, role, "mcp") == Counter(forbidden)


@pytest.mark.parametrize("key", ["blogger", "stager"])
def test_what_a_key_is_not_granted_is_refused_for_each_capability(door: Door, key: str) -> None:
    calls = [(one.name, {"appName": "shop", **valid(one)}) for one in ALL]
    by_http = {name: door.call(name, key, **args).json["id"] for name, args in calls}
    assert by_http == by_assistant(door, key, calls) == dict.fromkeys(CAPABILITIES, "wire.foreign_app")
    names = Counter(one.name for one in ALL)
    assert refusals(door, key, "http") == refusals(door, key, "mcp") == names
    lines = [line for line in door.history() if line["key"] == key]
    assert {(line["appName"], line["environment"]) for line in lines} == {("shop", "production")}
    assert [path for path in door.house.paths.apps.iterdir() if path.name == "shop"] == []


def valid(capability: Capability) -> dict[str, Any]:
    """Arguments that fit: only then is the question who may act on the app."""
    fields = models.arguments(capability).model_fields
    return {name: FILLED[name] for name, field in fields.items() if field.is_required()}


@pytest.mark.parametrize("key", ["blogger", "stager"])
def test_over_ssh_too(door: Door, key: str) -> None:
    for name in ("apps.status", "deploy.up", "keys.list", "policy.thaw"):
        line = f"v1 {name}" + (f" {new_operation()}" if CAPABILITIES[name].changes else "")
        assert door.house.ask(line, Body(app="shop"), key=key).error == "wire.foreign_app"
    allowed = {"blogger": Body(app="blog"), "stager": Body(app="shop", environment="staging")}[key]
    assert door.house.ask("v1 operations.list", allowed, key=key).result["operations"] == []
