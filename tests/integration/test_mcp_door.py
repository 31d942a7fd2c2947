"""The MCP door, spoken to by the official TypeScript client: an assistant of others."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.fixtures.doors.assistant import Call, speak
from tests.fixtures.operations.house import PROGRAM, House


def assistant(house: House, calls: list[Call], *options: str) -> list[Any]:
    return speak([sys.executable, str(PROGRAM), "mcp", *options], calls, IKOMA_ROOT=str(house.paths.root))


def history(house: House) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in house.paths.audit.read_text().splitlines()]
    return [line for line in lines if line["door"] == "mcp"]


def test_an_assistant_checks_changes_and_reads_what_became_of_it(house: House) -> None:
    tools, changed, listed, followed = assistant(
        house,
        [
            {"do": "tools"},
            {"do": "call", "name": "test_deploy", "args": {"appName": "shop"}},
            {"do": "call", "name": "operations_list", "args": {"appName": "shop"}},
            {"do": "call", "name": "operations_follow", "args": {"operation": "nothing"}},
        ],
        "--key",
        "ci",
    )
    known = {tool["name"]: tool for tool in tools["tools"]}
    assert known["apps_status"]["annotations"]["readOnlyHint"] is True
    assert known["deploy_rollback"]["annotations"] == {
        "readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": False,
    }  # fmt: skip
    assert known["apps_logs"]["inputSchema"]["required"] == ["appName"]
    assert changed["structuredContent"]["status"] == "HEALTHY"
    operation = changed["structuredContent"]["operation"]
    assert listed["structuredContent"]["result"]["operations"][0]["id"] == operation
    assert followed["isError"] is True
    assert followed["structuredContent"]["error"]["id"] == "name.operation"
    assert [(line["capability"], line["result"], line["key"]) for line in history(house)] == [
        ("test.deploy", "ok", "ci"), ("operations.list", "ok", "ci"), ("operations_follow", "error", "ci"),
    ]  # fmt: skip


def test_an_operation_is_followed_to_its_end(house: House) -> None:
    operation = house.deploy().events[0]["op"]
    (answer,) = assistant(
        house, [{"do": "call", "name": "operations_follow", "args": {"operation": operation}}], "--key", "ci"
    )
    told = answer["structuredContent"]
    assert told["result"]["status"] == "HEALTHY"
    assert told["events"][-1]["kind"] == "end"


def test_a_failed_operation_is_an_error_with_all_it_left(house: House) -> None:
    asked = {"do": "call", "name": "test_deploy", "args": {"appName": "shop", "fail": "prepare"}}
    (answer,) = assistant(house, [asked], "--role", "builder")
    assert answer["isError"] is True
    assert answer["structuredContent"]["result"]["error"]["id"] == "process.failed"


@pytest.mark.parametrize("options", [(), ("--key", "ci", "--role", "observer")])
def test_an_assistant_only_reads_unless_more_is_said(house: House, options: tuple[str, ...]) -> None:
    tools, refused = assistant(
        house, [{"do": "tools"}, {"do": "call", "name": "test_deploy", "args": {"appName": "shop"}}], *options
    )
    offered = {tool["name"] for tool in tools["tools"]}
    assert "apps_status" in offered
    assert "deploy_rollback" not in offered
    assert refused["structuredContent"]["error"]["id"] == "wire.forbidden"
    assert [(line["result"], line["appName"]) for line in history(house)] == [("refused", "shop")]


def test_a_key_reaches_the_apps_it_is_granted_and_no_other(house: House) -> None:
    house.grant("blog", "builder", apps="blog")
    for app in ("blog", "shop"):
        home = house.paths.apps / app
        home.mkdir()
        (home / "current.json").write_text('{"release": "r-000000000000"}')
    listed, templates, foreign, nonsense, call = assistant(
        house,
        [
            {"do": "resources"},
            {"do": "templates"},
            {"do": "read", "uri": "ikoma://shop/production/releases"},
            {"do": "read", "uri": "file:///etc/passwd"},
            {"do": "call", "name": "test_deploy", "args": {"appName": "shop"}},
        ],
        "--key",
        "blog",
    )
    assert {one["uri"] for one in listed["resources"]} == {
        f"ikoma://blog/production/{kind}" for kind in ("status", "releases", "logs")
    }
    assert "ikoma://{app}/{environment}/logs" in {one["uriTemplate"] for one in templates["resourceTemplates"]}
    assert "may not act on shop" in foreign["thrown"]
    assert "no resource" in nonsense["thrown"]
    assert call["structuredContent"]["error"]["id"] == "wire.foreign_app"


def test_releases_are_a_resource(house: House) -> None:
    (answer,) = assistant(house, [{"do": "read", "uri": "ikoma://shop/production/releases"}], "--key", "ci")
    told = json.loads(answer["contents"][0]["text"])
    assert (told["app"], told["releases"]) == ("shop", [])


def test_a_print_inside_a_capability_cannot_corrupt_the_stream(house: House) -> None:
    (answer,) = assistant(house, [{"do": "call", "name": "test_echo", "args": {"a": 1}}], "--key", "ci")
    assert answer["structuredContent"]["result"]["args"] == {"a": 1}


def test_sshs_key_is_the_assistants_key(house: House) -> None:
    house.grant("eye", "observer")
    tools, read = speak(
        [sys.executable, str(PROGRAM), "serve", "--key", "eye"],
        [{"do": "tools"}, {"do": "call", "name": "test_echo", "args": {}}],
        IKOMA_ROOT=str(house.paths.root), SSH_ORIGINAL_COMMAND="mcp",
    )  # fmt: skip
    assert "deploy_rollback" not in {tool["name"] for tool in tools["tools"]}
    assert read["structuredContent"]["result"]["key"] == "eye"


def test_an_unknown_key_gets_no_session(house: House) -> None:
    assert house.ask("mcp", key="nobody").error == "wire.unknown_key"
    assert house.local("mcp", "--key", "nobody").returncode == 2


def test_a_session_does_not_outlive_its_key(house: House) -> None:
    house.grant("brief", "builder")
    answers = assistant(
        house,
        [
            {"do": "call", "name": "test_echo", "args": {}},
            {"do": "call", "name": "keys_revoke", "args": {"key": "brief"}},
            {"do": "call", "name": "test_echo", "args": {}},
            {"do": "read", "uri": "ikoma://shop/production/releases"},
            {"do": "tools"},
            {"do": "resources"},
        ],
        "--key",
        "brief",
    )
    assert not answers[0].get("isError")
    assert answers[1]["structuredContent"]["result"] == {"key": "brief", "revoked": "key"}
    assert answers[2]["structuredContent"]["error"]["id"] == "wire.unknown_key"
    assert all("thrown" in answer for answer in answers[3:])
    assert [line["result"] for line in history(house)] == ["ok", "ok", "refused", "refused"]
