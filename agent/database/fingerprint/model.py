"""The fingerprint itself: what every object is, as text, and hashes over it. Pure; standard library only."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from agent.model.errors import IkomaError

KEPT: Final = "ikoma_before_"
"""How the names of schemas begin that a restore has replaced and kept: they are not looked at."""

_FORMAT: Final = 1


class Key(NamedTuple):
    """Which object: its kind, its schema (empty for what lies in none) and its name, ``table.column`` for parts."""

    kind: str
    schema: str
    name: str


@dataclass(frozen=True)
class Fingerprint:
    """Every object of a schema with its facts as canonical JSON text.

    Attributes:
        objects: by key; equal text means an equal object.
        major: the PostgreSQL major version that wrote the text: others word it differently.
    """

    objects: Mapping[Key, str]
    major: int

    @cached_property
    def sections(self) -> dict[str, str]:
        """The hash of all objects of a kind, by kind."""
        lines: dict[str, list[str]] = {}
        for key, text in self.objects.items():
            digest = hashlib.sha256(text.encode()).hexdigest()
            lines.setdefault(key.kind, []).append(f"{json.dumps(key, ensure_ascii=False)} {digest}")
        return {kind: _hash(sorted(found)) for kind, found in sorted(lines.items())}

    @cached_property
    def digest(self) -> str:
        """One hash over everything: ``pg17-`` and 64 hex digits."""
        return f"pg{self.major}-{_hash(f'{kind} {digest}' for kind, digest in self.sections.items())}"

    def facts(self, key: Key) -> dict[str, Any]:
        """Return what an object is, nothing for one that is not there."""
        found: dict[str, Any] = json.loads(self.objects.get(key, "{}"))
        return found

    def pack(self) -> bytes:
        """Return the whole in few bytes, to be stored."""
        rows = sorted([*key, text] for key, text in self.objects.items())
        document = {"format": _FORMAT, "major": self.major, "objects": rows}
        return zlib.compress(json.dumps(document, ensure_ascii=False).encode(), 6)


def unpack(raw: bytes) -> Fingerprint:
    """Undo ``pack``. Raises ``IkomaError("database.fingerprint")`` for what is none."""
    try:
        document = json.loads(zlib.decompress(raw))
        if document["format"] != _FORMAT:
            raise ValueError(document["format"])
        return Fingerprint({Key(*row[:3]): row[3] for row in document["objects"]}, document["major"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise IkomaError("database.fingerprint", reason=str(error)) from None


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
