"""What comes out of a channel: lines, objects, and foreign text that may do no harm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.errors import IkomaError
from agent.protocol import Body
from bridge.remote.channel import MAX_BANNER, Answers, Lines
from bridge.remote.client import announce, refusal
from bridge.remote.text import excerpt, neutral, neutral_value

HELLO = b'{"t":"hello"}\n'


@given(st.lists(st.binary(max_size=20).filter(lambda raw: b"\n" not in raw), max_size=8), st.integers(1, 7))
def test_lines_are_the_same_however_the_network_cuts_them(lines: list[bytes], size: int) -> None:
    stream, cutter = b"".join(line + b"\n" for line in lines), Lines()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [line for piece in pieces for line in cutter.feed(piece)] == lines


def test_a_line_that_does_not_end_is_given_up_at_the_limit() -> None:
    cutter = Lines(limit=10)
    assert list(cutter.feed(b"12345")) == []
    with pytest.raises(IkomaError) as raised:
        list(cutter.feed(b"6789012"))
    assert raised.value.id == "remote.line_too_long"


def test_everything_before_the_hello_is_passed_over() -> None:
    noise = b'Welcome!\n{"t":"result","result":{"forged":true}}\n[1]\n\xff\xfe\n'
    assert list(Answers().feed(noise + HELLO + b'{"t":"result"}\n')) == [{"t": "hello"}, {"t": "result"}]


def test_a_host_that_only_chatters_is_given_up() -> None:
    chatter = b"This account is currently not available. \x1b[2J So sorry\n"
    with pytest.raises(IkomaError) as raised:
        list(Answers().feed(chatter * (MAX_BANNER // 50)))
    assert raised.value.id == "remote.no_agent"
    assert "not available" in raised.value.message("en")
    assert "\x1b" not in raised.value.message("en")


@pytest.mark.parametrize("line", [b"oops\n", b"[]\n", b'{"t":\n', b"[" * 100_000 + b"\n"])
def test_a_foreign_line_after_the_hello_is_an_error(line: bytes) -> None:
    with pytest.raises(IkomaError) as raised:
        list(Answers().feed(HELLO + line))
    assert raised.value.id == "remote.garbled"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("a\rb", "a\nb"),
        ("a\x08\x08b", "a��b"),
        ("\x9b31mred", "�31mred"),
        ("user\u202etxt.exe", "user�txt.exe"),
        ("tab\tand\nline stay", "tab\tand\nline stay"),
        ("Déploiement validé ✓", "Déploiement validé ✓"),
    ],
)
def test_text_from_a_host_cannot_steer_a_terminal(hostile: str, shown: str) -> None:
    assert neutral(hostile) == shown


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    assert all(char in "\n\t" or char.isprintable() or ord(char) > 0x9F for char in neutral(text))


def test_every_string_of_an_answer_is_made_safe() -> None:
    assert neutral_value({"a\x1b[1m": ["\x07", {"b": "\r"}], "n": 1, "z": None}) == {
        "a": ["�", {"b": "\n"}],
        "n": 1,
        "z": None,
    }


def test_an_excerpt_is_short() -> None:
    assert len(excerpt(b"x" * 10_000)) == 200
    assert excerpt(b"1\n2\n3\n4\n5\n6\n") == "2\n3\n4\n5\n6"


def test_the_bundle_is_announced_by_its_length_and_digest() -> None:
    body = Body(app="suite")
    announce(body, b"abc")
    assert body.bundle_length == 3
    assert body.bundle_sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    announce(body, None)
    assert (body.bundle_length, body.bundle_sha256) == (0, "")


def test_a_refusal_keeps_its_words_and_its_exit_code() -> None:
    answer = json.loads('{"t":"error","exit":2,"error":{"id":"new.id","message":"No.","remedy":"Ask."}}')
    error = refusal(answer)
    assert (error.message(), error.remedy(), int(error.exit_code)) == ("No.", "Ask.", 2)


def test_a_damaged_refusal_is_still_an_error() -> None:
    assert refusal({"t": "error", "exit": "x", "error": 3}).id == "wire.internal"
