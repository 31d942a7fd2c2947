"""The HTTP door, run as its supervisor runs it, asked as operators and strangers ask it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agent.model.names import derived_operation, new_operation
from tests.fixtures.doors.http import Door, free_port, opened, wait_until_open
from tests.fixtures.operations.house import PROGRAM, House

KNOWN = derived_operation("test")
"""An id that names the same test in every process."""


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """An open door; its keys ``api`` (builder), ``eye`` (observer) and ``blog`` (builder of one app)."""
    with opened(House(tmp_path_factory.mktemp("door") / "host")) as door:
        door.grant("eye", "observer")
        door.grant("blog", "builder", apps="blog")
        yield door


def test_a_read_stands_under_result_whatever_the_content_type(door: Door) -> None:
    key: dict[str, Any] = {"X_Api_Key": door.keys["api"]}
    for kind in ("application/json", "application/x-www-form-urlencoded", "", None):
        sent = key if kind is None else key | {"Content_Type": kind}
        reply = door.ask("POST", "/execute/test.echo", b'{"a": [1]}', **sent)
        assert (reply.status, reply.json["result"]["args"]) == (200, {"a": [1]})


def test_a_change_is_answered_at_its_end_with_its_result(door: Door) -> None:
    reply = door.call("test.deploy", appName="shop")
    assert reply.status == 200
    assert reply.json["result"]["status"] == "HEALTHY"
    assert reply.json["result"]["operation"] == reply.json["operation"]
    assert re.fullmatch(r"[0-9]+:[0-9a-f]{64}", reply.headers["x-audit-head"])


def test_a_change_that_failed_is_a_problem_that_keeps_what_it_left(door: Door) -> None:
    reply = door.call("test.deploy", appName="shop", fail="roll-out")
    assert (reply.status, reply.headers["content-type"]) == (409, "application/problem+json")
    assert reply.json["id"] == "process.failed"
    assert reply.json["outcome"]["status"] == "ROLLED_BACK"
    assert "result" not in reply.json


def test_a_change_that_is_sent_twice_happens_once(door: Door) -> None:
    operation = new_operation()
    first, again = (door.call("test.deploy", appName="twice", operation=operation) for _ in range(2))
    assert (first.status, again.status) == (200, 200)
    assert first.json == again.json
    lines = [line for line in door.history() if line["operation"] == operation]
    assert [(line["result"], line.get("note")) for line in lines] == [("ok", None), ("ok", {"repeated": "true"})]
    other = door.call("test.deploy", appName="twice", operation=operation, retire=True)
    assert (other.status, other.json["id"]) == (409, "wire.operation_reused")


def test_an_operation_is_polled_and_replayed_from_any_event(door: Door) -> None:
    started = door.call("test.deploy", headers={"Prefer": "respond-async"}, appName="polled")
    assert started.status == 202
    key: dict[str, Any] = {"X_Api_Key": door.keys["eye"]}
    seen, events, place = 0, [], started.json["location"]
    while True:
        told = door.ask("GET", f"{place}?after={seen}&wait=20", **key).json
        events += told["events"]
        seen = told["after"]
        if "result" in told:
            break
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["kind"], events[-1]["kind"]) == ("accepted", "end")
    assert told["result"]["status"] == "HEALTHY"
    assert door.ask("GET", f"{place}?after={seen}", **key).json["events"] == []


@pytest.mark.parametrize("path", ["/execute/test.echo", "/execute/nothing.here", f"/operations/{KNOWN}"])
def test_without_a_known_key_one_learns_nothing(house: House, path: str) -> None:
    with opened(house) as door:
        method = "POST" if path.startswith("/execute") else "GET"
        tried: list[dict[str, Any]] = [{}, {"X_Api_Key": "guess"}, {"X_Api_Key": ""}]
        for headers in tried:
            reply = door.ask(method, path, **headers)
            assert (reply.status, reply.json["id"]) == (401, "wire.unknown_key")
            assert "www-authenticate" in reply.headers
        assert {line["error_id"] for line in door.history()} == {"wire.unknown_key"}


def test_whoever_guesses_keys_has_to_wait(house: House) -> None:
    with opened(house) as door:
        replies = [door.ask("POST", "/execute/test.echo", X_Api_Key=f"guess {n}") for n in range(12)]
        assert [reply.status for reply in replies] == [401] * 10 + [429] * 2
        assert replies[-1].json["id"] == "http.too_many"
        assert int(replies[-1].headers["retry-after"]) >= 1
        assert len(door.history()) == 10
        assert door.call("test.echo").status == 200


def test_a_key_has_its_burst_and_no_more(house: House) -> None:
    with opened(house, door_burst=3, door_rate=1) as door:
        assert [door.call("test.echo").status for _ in range(4)] == [200, 200, 200, 429]


def test_the_role_is_the_one_asked_for_and_no_higher_than_the_keys(door: Door) -> None:
    assert door.call("test.echo", headers={"X-Role": "observer"}).json["result"]["role"] == "observer"
    below = door.call("test.deploy", headers={"X-Role": "observer"}, appName="shop")
    assert (below.status, below.json["id"]) == (403, "wire.forbidden")
    above = door.call("test.echo", "eye", {"X-Role": "builder"})
    assert (above.status, above.json["id"]) == (403, "http.role")
    none = door.call("test.echo", headers={"X-Role": "root"})
    assert (none.status, none.json["id"]) == (400, "wire.bad_request")
    assert [line["result"] for line in door.history()[-3:]] == ["refused", "refused", "error"]


def test_a_refused_call_is_in_the_history_with_its_app(door: Door) -> None:
    reply = door.call("test.stdout", "blog", appName="shop")
    assert (reply.status, reply.json["id"]) == (403, "wire.foreign_app")
    last = door.history()[-1]
    assert (last["result"], last["appName"], last["key"], last["door"]) == ("refused", "shop", "blog", "http")


def test_a_key_cannot_look_at_the_operation_of_another_app(door: Door) -> None:
    operation = door.call("test.deploy", appName="shop").json["operation"]
    reply = door.ask("GET", f"/operations/{operation}", X_Api_Key=door.keys["blog"])
    assert (reply.status, reply.json["id"]) == (403, "wire.foreign_app")


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        ({"appName": "../../etc"}, 422, "http.argument"),
        ({"appName": "shop", "tail": "many"}, 422, "http.argument"),
        ({"appName": "shop", "tial": 5}, 422, "wire.unknown_argument"),
        ({}, 422, "wire.no_app"),
    ],
)
def test_what_does_not_fit_is_named(door: Door, content: dict[str, Any], status: int, error: str) -> None:
    reply = door.call("apps.logs", **content)
    assert (reply.status, reply.json["id"]) == (status, error)


def test_a_wrong_address_or_method_is_a_problem_too(door: Door) -> None:
    for method, path, status in (("GET", "/", 404), ("GET", "/execute/test.echo", 405), ("PUT", "/healthz", 405)):
        reply = door.ask(method, path)
        assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    unknown = door.call("test.deplay")
    assert (unknown.status, unknown.json["id"]) == (404, "wire.unknown_capability")


def test_a_body_that_is_too_large_is_not_read_to_its_end(door: Door) -> None:
    reply = door.ask("POST", "/execute/test.echo", b" " * 5_000_000, X_Api_Key=door.keys["api"])
    assert (reply.status, reply.json["id"]) == (413, "http.body_too_large")


def test_what_nobody_foresaw_is_a_reference_and_no_traceback(door: Door) -> None:
    reply = door.call("test.echo", content="x")
    assert reply.status == 200
    door.house.paths.settings.rename(door.house.paths.settings.with_suffix(".kept"))
    door.house.paths.settings.mkdir()
    try:
        broken = door.call("test.stdout", appName="shop")
    finally:
        door.house.paths.settings.rmdir()
        door.house.paths.settings.with_suffix(".kept").rename(door.house.paths.settings)
    wait_until_open(door)
    assert (broken.status, broken.json["id"]) == (500, "wire.internal")
    assert "Traceback" not in broken.raw.decode()


def test_french_is_answered_to_who_asks_for_it(door: Door) -> None:
    reply = door.ask("POST", "/execute/test.echo", Accept_Language="fr")
    assert reply.json["detail"].startswith("La clé d'API manque")


def test_health_document_and_figures_need_no_key_on_the_host(door: Door) -> None:
    alive = door.ask("GET", "/healthz")
    assert alive.json == {"status": "ok"}
    assert "x-audit-head" not in alive.headers
    assert "/execute/apps.status" in door.ask("GET", "/openapi.json").json["paths"]
    door.call("test.echo")
    figures = door.ask("GET", "/metrics").raw.decode()
    assert 'ikoma_http_calls_total{capability="test.echo",status="200"}' in figures
    assert door.ask("GET", "/metrics", X_Forwarded_For="203.0.113.9").status == 401


def test_200_callers_at_once_all_get_an_answer(door: Door) -> None:
    with ThreadPoolExecutor(200) as pool:
        replies = list(pool.map(lambda n: door.call("test.echo", n=n), range(200)))
    assert [(reply.status, reply.json["result"]["args"]["n"]) for reply in replies] == [(200, n) for n in range(200)]


def test_a_door_that_is_off_ends_without_a_fault(house: House) -> None:
    done = house.local("http")
    assert done.returncode == 0
    assert "off" in done.stderr


def test_a_port_that_somebody_has_is_named(house: House) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        house.settings(http_door=True, door_port=port)
        done = house.local("http")
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr


def test_a_door_whose_settings_change_ends_so_that_its_supervisor_starts_the_new_one(house: House) -> None:
    port = free_port()
    house.settings(http_door=True, door_port=port)
    environment = {**os.environ, "IKOMA_ROOT": str(house.paths.root)}
    process = subprocess.Popen([sys.executable, str(PROGRAM), "http"], env=environment)
    try:
        wait_until_open(Door(house, port, process, {}))
        house.settings(http_door=True, door_port=port, door_burst=7)
        assert process.wait(20) == 75
    finally:
        process.kill()
        process.wait()


def test_what_an_operation_started_goes_on_when_the_door_is_killed(house: House) -> None:
    with opened(house) as door:
        hold = house.hold()
        started = door.call("test.deploy", headers={"Prefer": "respond-async"}, appName="shop", hold=True)
        door.process.kill()
        door.process.wait()
        hold.unlink()
        operation = str(started.json["operation"])
        deadline = time.monotonic() + 30
        while house.operation(operation).result is None and time.monotonic() < deadline:
            time.sleep(0.05)
    assert house.operation(operation).status == "HEALTHY"


def test_no_secret_is_in_the_process_list_or_in_a_log(door: Door) -> None:
    door.call("test.secret", appName="shop", value="hunter2-in-no-log", chatter=2)
    ours = Path(f"/proc/{door.process.pid}")
    assert b"hunter2" not in (ours / "cmdline").read_bytes() + (ours / "environ").read_bytes()
    for file in door.house.paths.log.rglob("*"):
        assert "hunter2" not in file.read_text()
        assert door.keys["api"] not in file.read_text()
    assert door.keys["api"] not in json.dumps(door.history())


@pytest.mark.parametrize(
    "path",
    [
        "/execute/../healthz", "/execute/%2e%2e/healthz", "//execute/test.echo", "/execute/test.echo/",
        "/execute/test.echo%00", "/execute/test.echo%2f..", "/execute/..%2f..%2fetc%2fpasswd", "/operations/../metrics",
        "/operations/%2e%2e%2fetc", "/operations/..", "/execute/test%2eecho%0d%0aX-Evil:%201",
        "/execute/%EF%BD%94est.echo", "/metrics/", "/.%2e/etc/passwd",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_spelling_of_an_address_leads_anywhere_else(door: Door, path: str, method: str) -> None:
    reply = door.ask(method, path, None, X_Api_Key=door.keys["eye"], Host="evil.example")
    assert reply.status in (400, 404, 405, 422), (reply, reply.raw)
    assert reply.headers["content-type"] == "application/problem+json"
    assert "location" not in reply.headers
    assert "x-evil" not in reply.headers
    assert b"evil.example" not in reply.raw


def test_what_no_client_sends_is_refused_before_anything_is_read(door: Door) -> None:
    key = door.keys["eye"].encode()
    head = b"POST /execute/test.echo HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + key
    for raw in (
        head + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        head + b"\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
        head + b"\r\nContent-Length: -1\r\n\r\n",
        head + b"\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ):
        with socket.create_connection(("127.0.0.1", door.port), timeout=20) as client:
            client.sendall(raw)
            client.settimeout(20)
            told = client.recv(65536)
        assert told.startswith(b"HTTP/1.1 4"), (raw[:80], told)
        assert told.count(b"HTTP/1.1 ") == 1
    assert door.call("test.echo").status == 200


def test_the_figures_are_what_prometheus_reads(door: Door) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    door.call("test.echo")
    reply = door.ask("GET", "/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(reply.raw.decode())}
    kinds = {name: family.type for name, family in families.items()}
    assert kinds == {
        "ikoma_http_calls": "counter", "ikoma_http_seconds": "histogram", "ikoma_operations_unfinished": "gauge",
        "ikoma_agent_info": "gauge",
    }  # fmt: skip
    assert all(family.documentation for family in families.values())
    seconds = [one for one in families["ikoma_http_seconds"].samples if one.labels.get("capability") == "test.echo"]
    buckets = [one.value for one in seconds if one.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == next(one.value for one in seconds if one.name.endswith("_count")) > 0
    labels = {label for family in families.values() for one in family.samples for label in one.labels}
    assert labels <= {"capability", "status", "le", "version"}


def test_every_problem_has_the_members_of_rfc_9457(door: Door) -> None:
    key: dict[str, Any] = {"X_Api_Key": door.keys["eye"]}
    replies = [
        door.ask("GET", "/nothing"), door.ask("POST", "/execute/test.echo"),
        door.call("test.build", "eye", appName="x"), door.ask("POST", "/execute/test.echo", b"[1]", **key),
        door.call("apps.logs", appName="shop", tail="many"),
        door.ask("POST", "/execute/keys.revoke", b'{"key": "api"}', **key),
        door.ask("GET", f"/operations/{KNOWN}", **key),
    ]  # fmt: skip
    assert [reply.status for reply in replies] == [404, 401, 403, 400, 422, 403, 404]
    for reply in replies:
        told = reply.json
        assert reply.headers["content-type"] == "application/problem+json"
        assert told["status"] == reply.status
        assert told["type"] == f"urn:ikoma:error:{told['id']}"
        assert told["title"]
        assert told["detail"]
        assert "result" not in told
    refused = [line for line in door.history() if line["error_id"] == "keys.foreign"]
    assert [line["result"] for line in refused] == ["refused"]
