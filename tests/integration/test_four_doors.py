"""One capability, four doors: the same result, and one line in the history each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from agent.protocol import Body
from tests.fixtures.doors.assistant import speak
from tests.fixtures.doors.http import Door, opened
from tests.fixtures.operations.house import PROGRAM, House

READS: list[tuple[str, dict[str, Any]]] = [
    ("platform.capabilities", {}),
    ("operations.list", {"app": "shop", "limit": "3"}),
    ("apps.releases", {"app": "shop"}),
    ("apps.env.example", {"app": "shop"}),
]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A host whose HTTP door is open, with the folder of an app and an operation to tell of."""
    house = House(tmp_path_factory.mktemp("doors") / "host")
    with opened(house) as door:
        house.deploy()
        compose = house.paths.apps / "shop/docker-compose.yml"
        compose.write_text("services: {web: {image: x, environment: {A: '${TOKEN:?from the bank}', B: '${LEVEL:-3}'}}}")
        yield door


@pytest.fixture(scope="module")
def assistant(door: Door) -> list[Any]:
    """What each read answers to an assistant; one session, since starting one is what takes time."""
    calls = [{"do": "call", "name": name.replace(".", "_"), "args": sent(args)} for name, args in READS]
    environment = {"IKOMA_ROOT": str(door.house.paths.root)}
    return speak([sys.executable, str(PROGRAM), "mcp", "--key", "api"], calls, **environment)


def sent(args: dict[str, Any]) -> dict[str, Any]:
    return {{"app": "appName"}.get(name, name): value for name, value in args.items()}


@pytest.mark.parametrize(("name", "args"), READS, ids=[name for name, _ in READS])
def test_a_read_is_answered_alike_at_each_door(
    door: Door, assistant: list[Any], name: str, args: dict[str, Any]
) -> None:
    rest = {key: value for key, value in args.items() if key != "app"}
    by_ssh = door.house.ask(f"v1 {name}", Body(app=args.get("app"), args=rest), key="api").result
    typed = door.house.local("call", name, *[f"{key}={value}" for key, value in args.items()])
    by_http = door.call(name, **sent(args)).json["result"]
    by_mcp = assistant[READS.index((name, args))]["structuredContent"]["result"]
    assert by_ssh == json.loads(typed.stdout) == by_http == by_mcp
    lines = [line for line in door.history() if line["capability"] == name]
    assert sorted(line["door"] for line in lines) == ["cli", "http", "mcp", "ssh"]
    assert {(line["result"], line["appName"]) for line in lines} == {("ok", args.get("app"))}


def test_a_refusal_has_one_id_at_each_door(door: Door) -> None:
    door.grant("eye", "observer")
    by_ssh = door.house.ask("v1 test.deploy 0193a0c4-7b1e-7cc3-98c4-dc0c0c07398f", Body(app="shop"), key="eye").error
    by_http = door.call("test.deploy", "eye", appName="shop").json["id"]
    asked = [{"do": "call", "name": "test_deploy", "args": {"appName": "shop"}}]
    command = [sys.executable, str(PROGRAM), "mcp", "--key", "eye"]
    (answer,) = speak(command, asked, IKOMA_ROOT=str(door.house.paths.root))
    by_mcp = answer["structuredContent"]["error"]["id"]
    assert by_ssh == by_http == by_mcp == "wire.forbidden"
    refused = [line for line in door.history() if line["key"] == "eye"]
    assert sorted((line["door"], line["result"]) for line in refused) == [
        ("http", "refused"), ("mcp", "refused"), ("ssh", "refused"),
    ]  # fmt: skip


def test_a_call_that_fails_is_one_line_at_each_door(door: Door) -> None:
    by_ssh = door.house.ask("v1 apps.logs", Body(app="nowhere", args={"tail": 0}), key="api").error
    by_http = door.call("apps.logs", appName="nowhere", tail=9999).json["id"]
    typed = door.house.local("call", "apps.logs", "app=nowhere", "tail=0")
    asked = [{"do": "call", "name": "apps_logs", "args": {"appName": "nowhere", "tial": 1}}]
    speak([sys.executable, str(PROGRAM), "mcp", "--key", "api"], asked, IKOMA_ROOT=str(door.house.paths.root))
    assert typed.returncode == 2
    assert (by_ssh, by_http) == ("wire.number", "http.argument")
    lines = [line for line in door.history() if line["appName"] == "nowhere"]
    assert sorted((line["door"], line["result"]) for line in lines) == [
        ("cli", "error"), ("http", "error"), ("mcp", "error"), ("ssh", "error"),
    ]  # fmt: skip
