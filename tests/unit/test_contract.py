"""The contract: small by default, every mistake named with file, line and the nearest known key."""

import pytest

from agent.model.contract import load
from agent.model.errors import Misuse


def test_the_app_alone_is_a_complete_contract() -> None:
    settings = load('{"app": "ikomaposte"}').settings()
    assert settings.compose == "docker-compose.yml"
    assert settings.migrations
    assert settings.migrations.folder == "migrations"


def test_an_environment_overrides_top_level_keys_and_merges_services() -> None:
    text = """{"app": "x", "routes": {"a.example": "web:80"},
      "services": {"web": {"drain": "5s"}, "jobs": {"kind": "worker"}},
      "environments": {"staging": {"host": "h", "routes": {"b.example": "web:80"},
        "services": {"web": {"drain": "2m"}}}}}"""
    staging = load(text).settings("staging")
    assert staging.routes == {"b.example": "web:80"}
    assert staging.services["web"].drain == 120
    assert staging.services["jobs"].kind == "worker"
    assert load(text).settings("unknown").routes == {"a.example": "web:80"}


def test_migrations_can_be_switched_off_in_one_environment() -> None:
    assert load('{"app":"x","environments":{"preview":{"migrations":false}}}').settings("preview").migrations is False


CASES = [
    ('{"app":"x",\n"rutes":{}}', 2, "did you mean “routes”"),
    ('{"app":"x",\n"services":{\n "a":{"prob":{}}}}', 3, "did you mean “probe”"),
    ('{"app":"X"}', 1, "app"),
    ('{}', 1, "app"),
    ('{"app":"x",\n\n"routes":{"a b":"web:1"}}', 3, "no host name"),
    ('{"app":"x",\n"routes":{"a.b":"web"}}', 2, "not service:port"),
    ('{"app":"x",\n"routes":{"a.b":"web:70000"}}', 2, "not service:port"),
    ('{"app":"x",\n"health":{\n"timeout":"soon"}}', 3, "no duration"),
    ('{"app":"x",\n"compose":"../up.yml"}', 2, "inside the repository"),
    ('{"app":"x",\n"environments":{\n"staging":{\n"platfrom":"linux/amd64"}}}', 4, "did you mean “platform”"),
    ('{"app":"x",\n"environments":{"Bad Name":{}}}', 2, "Bad Name"),
    ('{"app":"x",\n"silence":[\n{"rule":"IKB101"}]}', 3, "reason"),
    ('[]', 1, "valid dictionary"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), CASES)
def test_a_mistake_is_named_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(Misuse) as caught:
        load(text, "ikoma.release.json")
    assert f"ikoma.release.json:{line}:" in caught.value.message("en"), caught.value.message("en")
    assert says in caught.value.message("en")


@pytest.mark.parametrize("text", ["", "{", '{"app":}', "not json", '{"app":"x"', "\x00", "[" * 100_000])
def test_broken_json_is_an_error_for_people(text: str) -> None:
    with pytest.raises(Misuse) as caught:
        load(text)
    assert caught.value.id == "json.broken"


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(Misuse) as caught:
        load('{"app":"x","app":"y"}')
    assert caught.value.id == "json.duplicate"


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert load('\ufeff{"app":"x"}').app == "x"
