"""The arguments of ``bridge call``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.model.errors import Misuse
from bridge.commands.call import parse


def nothing() -> str:
    raise AssertionError("stdin is not read")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("service=api", "api"), ("tail=50", 50), ("tail=-3", -3), ("through=0013", "0013"), ("dry_run=true", True),
        ("to=null", None), ("x=1.5", "1.5"), ("x=", ""), ("x=a=b", "a=b"), ('x=["a", 1]', ["a", 1]),
        ('x={"a": {"b": 1}}', {"a": {"b": 1}}), ("x=[not json", "[not json"), ("x=True", "True"), ("x=é", "é"),
        ("x=9" + "9" * 30, "9" * 31),
    ],
)  # fmt: skip
def test_values_are_text_unless_they_are_plainly_something_else(argument: str, value: Any) -> None:
    key = argument.partition("=")[0]
    assert parse([argument], nothing) == {key: value}


def test_a_value_from_a_file_is_text_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("12345\n")
    assert parse([f"sql=@{tmp_path}/v"], nothing) == {"sql": "12345"}


def test_a_value_from_stdin_is_text() -> None:
    assert parse(["dsn=-"], lambda: "true\n") == {"dsn": "true"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["alone"], "cli.argument"), (["=x"], "cli.argument"), (["a b=1"], "cli.argument"),
        (["--flag=1"], "cli.argument"), (["a=1", "a=2"], "cli.argument_twice"), (["a=-", "b=-"], "cli.stdin_twice"),
        (["a=@/no/such"], "cli.unreadable"),
    ],
)  # fmt: skip
def test_what_is_no_argument_is_refused(arguments: list[str], error: str) -> None:
    with pytest.raises(Misuse) as refused:
        parse(arguments, lambda: "")
    assert refused.value.id == error


def test_a_refused_argument_does_not_show_its_value() -> None:
    with pytest.raises(Misuse) as refused:
        parse(["pass word=sesame"], nothing)
    assert "sesame" not in refused.value.message("en")
