"""Environment files: ``app.env`` and ``agent.env``, written so that docker compose reads exactly what was meant.

Compose's dotenv dialect has two kinds of quotes with rules of their own (a backslash before a quote escapes it in
both; ``$`` means something everywhere but in single quotes). Each value is written in the simplest form that survives.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from agent.host.files import write_atomic
from agent.model.errors import Misuse
from agent.model.secret import Secret

MODE: Final = 0o600
KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
MAX_VALUE: Final = 128 * 1024

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_LINE: Final = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*")
_ESCAPED: Final = re.compile(r"\\([abcfnrtv$\"\\])")
_MEANING: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$", '"': '"', "\\": "\\",
}  # fmt: skip

_SECRET_NAME: Final = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|SALT|DSN|AUTH|SIGNATURE", re.IGNORECASE)
_WITH_CREDENTIALS: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:(.+)@", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece of a file as it stands: one assignment, or (with an empty key) lines between two."""

    key: str
    value: str
    raw: str


def check(key: str, value: object) -> str:
    """Return ``value`` if a file can hold it under ``key``. Raises ``Misuse`` (``env.key``, ``env.value``)."""
    if not KEY.fullmatch(key):
        raise Misuse("env.key", key=key[:80])
    if not isinstance(value, str) or "\0" in value or len(value) > MAX_VALUE or not _encodable(value):
        raise Misuse("env.value", key=key)
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def quote(value: str) -> str:
    """Return ``value`` as it is written after ``KEY=``."""
    if _PLAIN.fullmatch(value):
        return value
    if "\r" not in value and "\\'" not in value and not value.endswith("\\"):
        return "'" + value.replace("'", "\\'") + "'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\r", "\\r")
    return f'"{escaped}"'


def parse(text: str) -> list[Entry]:
    """Return the pieces of a file; joined, their ``raw`` is the text again. What is no assignment is kept as it is."""
    found: list[Entry] = []
    position = 0
    while position < len(text):
        entry = _next(text, position)
        found.append(entry)
        position += len(entry.raw)
    return found


def _next(text: str, position: int) -> Entry:
    match = _LINE.match(text, position)
    if match is None:
        return Entry("", "", text[position : _line_end(text, position)])
    start = match.end()
    if text[start : start + 1] in ("'", '"') and (closing := _closing(text, start)):
        end = _line_end(text, closing)
        return Entry(match[1], _quoted(text[start], text[start + 1 : closing]), text[position:end])
    end = _line_end(text, start)
    value = re.split(r"[ \t]#", text[start:end], maxsplit=1)[0].strip()
    return Entry(match[1], value.replace("$$", "$"), text[position:end])


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _closing(text: str, start: int) -> int:
    """Return where the quotes that open at ``start`` close, 0 when they never do."""
    position = start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == text[start]:
            return position
        position += 1
    return 0


def _quoted(mark: str, inner: str) -> str:
    if mark == "'":
        return inner.replace("\\'", "'")
    return _ESCAPED.sub(lambda match: _MEANING.get(match[1], match[0]), inner)


def values(text: str) -> dict[str, str]:
    """Return what a file assigns; of two assignments the later counts."""
    return {entry.key: entry.value for entry in parse(text) if entry.key}


def merged(text: str, changes: Mapping[str, str], remove: Iterable[str] = ()) -> str:
    """Return ``text`` with ``changes`` made, every other line as it was."""
    gone = set(remove)
    return "".join(_merge(parse(text), dict(changes), gone))


def _merge(entries: Iterable[Entry], changes: dict[str, str], gone: set[str]) -> Iterator[str]:
    before, written = "\n", set[str]()
    for entry in entries:
        if entry.key in gone or entry.key in written:
            continue
        raw = entry.raw
        if entry.key in changes:
            raw = _assignment(entry.key, changes[entry.key])
            written.add(entry.key)
        yield raw
        before = raw
    missing = [_assignment(key, value) for key, value in changes.items() if key not in written]
    if missing and not before.endswith("\n"):
        yield "\n"
    yield from missing


def _assignment(key: str, value: str) -> str:
    return f"{key}={quote(value)}\n"


def read(path: Path) -> dict[str, str]:
    """Return what the file assigns; nothing when there is none."""
    return values(_text(path))


def write(path: Path, changes: Mapping[str, str], remove: Iterable[str] = ()) -> None:
    """Change a file, atomically, readable by its owner alone. Raises ``Misuse`` as ``check``, and ``OSError``."""
    for key, value in changes.items():
        check(key, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, merged(_text(path), changes, remove), MODE)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""


def fingerprint(key: bytes, name: str, value: str) -> str:
    """Return 16 hex digits that tell two values apart and, without the host's key, nothing else."""
    return hmac.new(key, f"env\0{name}\0{value}".encode(), hashlib.sha256).hexdigest()[:16]


def secrets(assigned: Mapping[str, str]) -> list[Secret]:
    """Return the values that must not be shown: by the name they have, or because a URL holds a password."""
    found: list[Secret] = []
    for name, value in assigned.items():
        match = _WITH_CREDENTIALS.match(value)
        if match:
            found += [Secret(value), Secret(match[1]), Secret(unquote(match[1]))]
        elif _SECRET_NAME.search(name):
            found.append(Secret(value))
    return found
