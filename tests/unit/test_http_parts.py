"""The parts of the HTTP door that only decide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capabilities import CAPABILITIES
from agent.doors import asking, http_problem, http_proxy
from agent.doors.http_limits import Limiter
from agent.host.settings import Settings
from agent.model.errors import IkomaError, Misuse

LOGS, UP = CAPABILITIES["apps.logs"], CAPABILITIES["deploy.up"]


def test_a_caller_has_its_burst_and_then_its_rate() -> None:
    now = [0.0]
    limiter = Limiter(rate=2, burst=3, clock=lambda: now[0])
    assert [limiter.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.wait("b") == 0
    now[0] = 0.5
    assert [limiter.wait("a") for _ in range(2)] == [0, 0.5]
    now[0] = 100
    assert [limiter.wait("a") for _ in range(4)].count(0) == 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", 900), ("respond-async", 0), ("wait=5", 5), ("wait=99999999999", 900), ("wait=-1", 900), ("Wait=7, x", 7)],
)
def test_a_caller_says_how_long_it_waits(header: str, seconds: float) -> None:
    assert asking.patience({"prefer": header}) == seconds


def test_a_french_caller_is_answered_in_french() -> None:
    assert asking.language({"accept-language": "fr-CH, fr;q=0.9, en;q=0.8"}) == "fr"
    assert asking.language({"accept-language": "de"}) == "en"


@pytest.mark.parametrize("raw", [b"", b"  \n", b"{}"])
def test_no_body_is_an_empty_one(raw: bytes) -> None:
    assert asking.parse(raw) == {}


@pytest.mark.parametrize("raw", [b"[]", b"1", b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Misuse) as caught:
        asking.parse(raw)
    assert caught.value.id == "wire.body"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(raw: bytes) -> None:
    try:
        data = asking.parse(raw)
    except Misuse:
        return
    assert isinstance(data, dict)


@given(st.dictionaries(st.text(max_size=12), st.recursive(st.none() | st.booleans() | st.text(max_size=9), st.lists)))
def test_any_arguments_fit_or_are_refused_without_being_repeated(data: dict[str, Any]) -> None:
    with pytest.raises(Misuse) as caught:
        asking.ask(LOGS, data | {"tail": "hunter2"}, {}, "")
    told = json.dumps(caught.value.to_json("en")) + json.dumps(getattr(caught.value, "errors", []))
    assert "hunter2" not in told


def test_arguments_reach_the_capability_as_they_were_sent() -> None:
    asked = asking.ask(LOGS, {"appName": "shop", "environment": "staging", "tail": "5"}, {"user-agent": "x\n"}, "::1")
    assert (asked.body.app, asked.body.environment, asked.body.args) == ("shop", "staging", {"tail": "5"})
    assert asked.body.client == {"address": "::1", "user_agent": "x"}
    assert asked.operation is None


def test_a_change_gets_an_id_unless_it_brings_one() -> None:
    brought = "0193a0c4-7b1e-7cc3-98c4-dc0c0c07398f"
    assert asking.ask(UP, {"appName": "shop", "operation": brought}, {}, "").operation == brought
    assert asking.ask(UP, {"appName": "shop"}, {"idempotency-key": brought}, "").operation == brought
    assert asking.ask(UP, {"appName": "shop"}, {}, "").operation not in (None, brought)


@pytest.mark.parametrize("name", ["../etc", "a/b", "Shop", "", "a" * 32, "shop\n"])
def test_a_name_is_a_name_and_never_a_path(name: str) -> None:
    with pytest.raises(asking.Malformed) as caught:
        asking.ask(UP, {"appName": name}, {}, "")
    assert caught.value.errors[0]["pointer"] == "/appName"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Misuse("wire.unknown_key"), 401),
        (Misuse("wire.foreign_app"), 403),
        (Misuse("wire.unknown_capability"), 404),
        (Misuse("release.none"), 422),
        (IkomaError("engine.absent"), 503),
        (IkomaError("wire.internal"), 500),
    ],
)
def test_an_error_has_one_status_and_never_a_result(error: IkomaError, status: int) -> None:
    told = http_problem.problem(error, "en")
    assert (told["status"], told["id"]) == (status, error.id)
    assert "result" not in told


def test_caddy_serves_the_door_only_under_a_name() -> None:
    assert http_proxy.route(Settings()) == ""
    text = http_proxy.route(Settings(door_name="agent.example.com"))
    assert text.startswith("agent.example.com {")
    assert "reverse_proxy unix//etc/caddy/" in text
    with pytest.raises(Misuse):
        http_proxy.route(Settings(door_name="x {\n respond"))
