"""Text from a host is foreign: shown, never obeyed. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Controls but newline and tab, the C1 range, and what turns the direction of writing.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def neutral(text: str) -> str:
    """Return ``text`` without anything a terminal would act on; newlines and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", text))


def neutral_value(value: Any) -> Any:
    """Return a JSON value with every string in it, keys too, made neutral."""
    if isinstance(value, str):
        return neutral(value)
    if isinstance(value, list):
        return [neutral_value(item) for item in value]
    if isinstance(value, dict):
        return {neutral(str(key)): neutral_value(item) for key, item in value.items()}
    return value


def excerpt(raw: bytes, lines: int = 5, width: int = 200) -> str:
    """Return the last lines of foreign output, short and neutral, for an error message."""
    kept = neutral(raw[-lines * 4 * width :].decode(errors="replace")).strip().splitlines()[-lines:]
    return "\n".join(line[:width] for line in kept)
