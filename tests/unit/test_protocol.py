"""The wire: strict grammar, damaged bodies refused, round trips."""

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.errors import Misuse
from agent.model.names import derived_operation
from agent.protocol import (
    MAX_JSON,
    Body,
    Credentials,
    Event,
    Hello,
    RequestLine,
    encode_line,
    exit_code,
    parse_line,
    read_body,
)

OPERATION = derived_operation("test")


@pytest.mark.parametrize(
    "line",
    [
        RequestLine("hello"),
        RequestLine("attach", OPERATION, 17),
        RequestLine("status.get"),
        RequestLine("deploy.apply", OPERATION),
    ],
)
def test_a_request_line_survives_the_wire(line: RequestLine) -> None:
    assert parse_line(line.render()) == line


@pytest.mark.parametrize(
    "line",
    [
        "",
        "v1",
        "hello",
        "v1 ",
        "v1  hello",
        "v1 hello; id",
        "v1 ../x",
        "v1 -rf",
        "v1 deploy.apply x",
        "v1 deploy.apply $(id)",
        f"v1 deploy.apply {OPERATION} after=1",
        f"v1 attach {OPERATION} after=-1",
        f"v1 attach {OPERATION} after=1 more",
        "v1 hello\n",
        "v1 hello\0",
        "v1 é",
        "v1 " + "a" * 600,
    ],
)
def test_a_hostile_request_line_is_refused(line: str) -> None:
    with pytest.raises(Misuse):
        parse_line(line)


@given(st.text(max_size=200))
def test_no_request_line_raises_anything_but_misuse(line: str) -> None:
    with contextlib.suppress(Misuse):
        parse_line(line)


def test_another_protocol_version_is_named() -> None:
    with pytest.raises(Misuse) as caught:
        parse_line("v9 hello")
    assert caught.value.id == "wire.version"


def test_a_body_survives_the_wire_and_nothing_behind_it_is_read() -> None:
    body = Body(
        app="suite",
        args={"release": "r-0123456789ab"},
        credentials=Credentials("registry:5000", "ci", "p%@ '\""),
        bundle_length=4,
        bundle_sha256="0" * 64,
    )
    stream = io.BytesIO(body.encode() + b"tail")
    assert read_body(stream) == body
    assert stream.read() == b"tail"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"12",
        b"x\n{}",
        b"-1\n",
        b"5\n{}",
        b"2\n[]",
        b'12\n{"unknown":1}',
        str(MAX_JSON + 1).encode() + b"\n",
        b'17\n{"lang":["fr"]}  ',
        b'22\n{"bundle_length": -1}  ',
        b'19\n{"on_busy":"steal"}',
        b'19\n{"credentials":[1]}',
        b'25\n{"client":{"a":"\\ud800"}}',
        b'22\n{"client":{"a":"\xed\xa0\x80"}}',
    ],
)
def test_a_damaged_body_is_refused(raw: bytes) -> None:
    with pytest.raises(Misuse) as caught:
        read_body(io.BytesIO(raw))
    assert caught.value.id == "wire.body"


def test_credentials_do_not_show_their_password() -> None:
    assert "hunter2" not in repr(Credentials("r", "u", "hunter2"))


def test_an_event_line_never_holds_a_raw_newline_or_escape() -> None:
    event = Event(OPERATION, 1, "2026-01-01T00:00:00Z", "log", {"line": "a\nb\x1b[31m\u2028"})
    line = encode_line(event.to_json())
    assert line.count(b"\n") == 1
    assert b"\x1b" not in line
    assert Event.from_json(json.loads(line)) == event


def test_a_hello_from_the_future_is_still_read() -> None:
    data = Hello((1, 1), "9.9.9", "builder", "ci", ("status.get",)).to_json() | {"new_field": 1}
    assert Hello.from_json(data).version == "9.9.9"


def test_sides_without_a_common_protocol_say_so() -> None:
    with pytest.raises(Misuse):
        Hello((2, 3), "2.0.0", "builder", "ci", ()).check()
    Hello((1, 3), "1.9.0", "builder", "ci", ()).check()


def test_only_success_ends_with_zero() -> None:
    assert [exit_code(s) for s in ("HEALTHY", "DONE", "FAILED", "ROLLED_BACK", "INTERRUPTED")] == [0, 0, 1, 1, 1]
