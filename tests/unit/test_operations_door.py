"""The SSH door: who may what, and what strangers may type."""

from __future__ import annotations

import io
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capabilities.index import Capability
from agent.doors.service import Service
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model.errors import IkomaError, Misuse
from agent.model.names import derived_operation, new_operation
from agent.protocol import ROLES, Body, parse_line, read_body
from tests.fixtures.operations.house import House
from tests.fixtures.operations.index import INDEX

KNOWN = derived_operation("test")
"""An id that names the same test in every process."""

NOWHERE = Paths()


def service(role: str, apps: str = "*", environments: str = "*") -> Service:
    return Service(NOWHERE, INDEX, Grant("key", role, tuple(apps.split(",")), tuple(environments.split(","))), "ssh")


@pytest.mark.parametrize("role", ["", "root", *ROLES])
@pytest.mark.parametrize("capability", INDEX.values(), ids=lambda one: one.name)
def test_a_role_may_call_what_it_may_and_nothing_else(role: str, capability: Capability) -> None:
    operation = new_operation() if capability.changes else None
    allowed = role in ROLES and ROLES.index(role) >= ROLES.index(capability.role)
    if allowed:
        assert service(role).capability(capability.name, operation) is capability
    else:
        with pytest.raises(Misuse) as caught:
            service(role).capability(capability.name, operation)
        assert caught.value.id == "wire.forbidden"


def test_a_change_needs_an_operation_and_a_read_takes_none() -> None:
    for name, operation in (("test.deploy", None), ("test.echo", new_operation())):
        with pytest.raises(Misuse) as caught:
            service("builder").capability(name, operation)
        assert caught.value.id == "wire.bad_request"


def test_an_unknown_capability_is_told_the_nearest_one() -> None:
    with pytest.raises(Misuse) as caught:
        service("builder").capability("test.deplay", None)
    assert "test.deploy?" in caught.value.message("en")


@pytest.mark.parametrize(
    ("apps", "environments", "app", "environment", "allowed"),
    [
        ("*", "*", "shop", "production", True),
        ("shop", "*", "shop", "staging", True),
        ("shop,blog", "staging", "blog", "staging", True),
        ("shop", "*", "shopping", "production", False),
        ("shop", "staging", "shop", "production", False),
        ("", "", "shop", "production", False),
    ],
)
def test_a_key_acts_on_its_own_apps_and_environments(
    house: House, apps: str, environments: str, app: str, environment: str, allowed: bool
) -> None:
    grant = Grant("key", "builder", tuple(apps.split(",")), tuple(environments.split(",")))
    asked = Service(house.paths, INDEX, grant, "ssh")
    body = Body(app=app, environment=environment)
    if allowed:
        assert asked.read(INDEX["test.stdout"], body)["key"] == "key"
        return
    for act in (
        lambda: asked.read(INDEX["test.stdout"], body),
        lambda: asked.change(INDEX["test.deploy"], new_operation(), body, io.BytesIO()),
    ):
        with pytest.raises(Misuse) as caught:
            act()
        assert caught.value.id == "wire.foreign_app"


def test_a_key_cannot_attach_to_a_foreign_operation(house: House) -> None:
    operation = new_operation()
    house.deploy(operation)
    house.grant("blogger", "builder", apps="blog")
    assert house.attach(operation, key="blogger").error == "wire.foreign_app"


def test_an_unknown_key_is_refused_after_a_hello_that_offers_nothing(house: House) -> None:
    answer = house.ask("v1 status.get", Body(app="shop"), key="nobody")
    assert answer.hello["capabilities"] == []
    assert answer.error == "wire.unknown_key"
    assert answer.code == 77


def test_damaged_keys_let_nobody_in(house: House) -> None:
    house.paths.keys.write_text('{"ci": {"role": ["builder"]}}')
    assert house.ask("v1 test.echo", Body()).error == "keys.invalid"


def test_the_hello_comes_first_and_says_what_the_key_may_do(house: House) -> None:
    house.grant("eye", "observer")
    hello = house.ask("v1 hello", key="eye").hello
    assert hello["role"] == "observer"
    assert "status.get" in hello["capabilities"]
    assert "test.deploy" not in hello["capabilities"]


def test_a_print_inside_a_capability_cannot_corrupt_the_stream(house: House) -> None:
    answer = house.ask("v1 test.echo", Body(args={"a": [1]}))
    assert [line["t"] for line in answer.lines] == ["hello", "result"]
    assert answer.result["args"] == {"a": [1]}
    assert "a stray print" in answer.stderr


@pytest.mark.parametrize(
    ("capability", "body", "error"),
    [
        ("status.get", Body(), "wire.no_app"),
        (f"deploy.restart {KNOWN}", Body(app="shop", args={"servcie": "web"}), "wire.unknown_argument"),
        ("operations.list", Body(app="shop", args={"limit": "many"}), "wire.number"),
        ("deploy.plan", Body(app="shop"), "wire.missing_argument"),
    ],
)
def test_arguments_that_are_wrong_are_named_before_anything_begins(
    house: House, capability: str, body: Body, error: str
) -> None:
    answer = house.ask(f"v1 {capability}", body)
    assert (answer.error, answer.code) == (error, 78)


HOSTILE = [
    "", "v1", "v2 hello", "hello", "v1 status.get; id", "v1 ../../bin/sh", "v1 --help", "v1 hello\nv1 hello",
    "v1  hello", "v1 attach", "v1 attach x", f"v1 attach {KNOWN} after=-1", "v1 status.get $(id)",
    f"v1 test.deploy {KNOWN} after=1", "scp -t /tmp", "internal-sftp", "v1 " + "a" * 600, "v1 hello é",
]  # fmt: skip


@pytest.mark.parametrize("line", ["v1 status.get; id", "", "internal-sftp", "v1 attach"])
def test_a_hostile_request_line_is_refused_by_the_program(house: House, line: str) -> None:
    answer = house.ask(line)
    assert answer.error in ("wire.bad_request", "wire.version", "name.operation")
    assert answer.code == 78


@pytest.mark.parametrize("line", HOSTILE)
def test_a_hostile_request_line_never_names_a_capability(line: str) -> None:
    try:
        parsed = parse_line(line)
        service("builder").capability(parsed.verb, parsed.operation)
    except IkomaError:
        return
    raise AssertionError(line)


@given(st.text(max_size=600))
def test_any_text_is_parsed_whole_or_refused(line: str) -> None:
    try:
        parsed = parse_line(line)
    except Misuse:
        return
    assert set(parsed.verb) <= set(string.ascii_lowercase + string.digits + "._")
    assert parse_line(parsed.render()) == parsed


@given(st.binary(max_size=300))
def test_any_bytes_for_a_body_are_a_body_or_refused(raw: bytes) -> None:
    try:
        body = read_body(io.BytesIO(raw))
    except Misuse:
        return
    assert isinstance(body.args, dict)


def test_what_a_client_says_of_itself_is_cut_to_size(house: House) -> None:
    body = Body(app="shop", client={f"k{n}": "x" * 10_000 for n in range(100)})
    operation = new_operation()
    house.ask(f"v1 test.deploy {operation}", body)
    kept = house.operation(operation).client
    assert len(kept) == 20
    assert len(json.dumps(kept)) < 10_000
