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


def test_logs_are_kept_as_ever_unless_the_contract_or_an_environment_says_otherwise() -> None:
    text = """{"app": "x", "retention": {"logs": {"max_size": "512k", "files": 9}},
      "environments": {"staging": {"retention": {"logs": {"files": 1}}}, "preview": {"host": "h"}}}"""

    def kept(contract: str, environment: str) -> tuple[str, int]:
        logs = load(contract).settings(environment).retention.logs
        return logs.max_size, logs.files

    assert kept('{"app": "x", "retention": {"releases": 9}}', "production") == ("10m", 3)
    assert kept(text, "production") == kept(text, "preview") == ("512k", 9)
    assert kept(text, "staging") == ("10m", 1)
    assert load(text).settings("staging").retention.releases == 5


def logs(value: str) -> str:
    return f'{{"app":"x",\n"retention":{{\n"logs":{{\n{value}}}}}}}'


@pytest.mark.parametrize("size", ["10k", "99999k", "1m", "9999m", "1g", "10g"])
def test_a_log_may_have_a_size_in_bounds(size: str) -> None:
    assert load(logs(f'"max_size":"{size}"')).settings().retention.logs.max_size == size


@pytest.mark.parametrize(
    "size", ["", "9k", "0m", "01m", "10", "10M", "10mb", "1.5m", "-1m", "11g", "10m\\n", " 10m", "unlimited"]
)
def test_any_other_size_is_refused_in_words(size: str) -> None:
    with pytest.raises(Misuse) as caught:
        load(logs(f'"max_size":"{size}"'))
    assert "is no size of a log; write 512k, 10m or 1g" in caught.value.message("en")


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
    (logs('"max_sise":"10m"'), 4, "did you mean “max_size”"),
    (logs('"max_size":10'), 4, "valid string"),
    (logs('"files":0'), 4, "greater than or equal to 1"),
    (logs('"files":101'), 4, "less than or equal to 100"),
    (logs('"files":"many"'), 4, "valid integer"),
    ('{"app":"x",\n"retention":{\n"log":{}}}', 3, "did you mean “logs”"),
    ('{"app":"x",\n"environments":{"a":{"retention":{\n"logs":{"files":0}}}}}', 3, "greater than or equal to 1"),
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
