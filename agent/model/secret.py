"""A secret masks itself in every rendering; a redactor catches what others print of it."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
_SHORTEST: Final = 6  # shorter values would mask ordinary words


class Secret:
    """A value that is only readable through ``reveal()``; ``str``, ``repr`` and formatting give the mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the real value. Call it at the last moment, never into a message or a command line."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


class Redactor:
    """Replaces known secret values, and their usual encodings, in foreign text.

    Values shorter than six characters are left alone: they would mask ordinary words. Multi-line values are
    masked line by line as well, because logs are cut into lines.
    """

    def __init__(self, secrets: Iterable[Secret | str] = ()) -> None:
        self._forms: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: Secret | str) -> None:
        """Learn more values to mask."""
        forms = set(self._forms)
        for secret in secrets:
            value = secret.reveal() if isinstance(secret, Secret) else secret
            for part in {value, *value.splitlines()}:
                if len(part.strip()) >= _SHORTEST:
                    forms |= _spellings(part.strip())
        self._forms = sorted(forms, key=len, reverse=True)  # longest first: a part must not unmask the whole

    def __call__(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


def _spellings(value: str) -> set[str]:
    encoded = base64.b64encode(value.encode()).decode()
    return {
        value,
        quote(value, safe=""),
        quote_plus(value),
        shlex.quote(value),
        value.replace("\\", "\\\\").replace('"', '\\"'),
        value.replace("'", "''"),
        value.replace("$", "$$"),
        encoded,
        encoded.rstrip("="),
    }
