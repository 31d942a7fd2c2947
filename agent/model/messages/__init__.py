"""The catalogue: every sentence a person reads, once, in English and in French, with its remedy.

Code carries ids such as ``lock.held``; the text belongs here. Each domain has a module with one table
``MESSAGES``; tables are merged on first use so that the fast paths do not pay for what they do not say.
Placeholders are ``str.format`` names.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

LANGUAGES: Final = ("en", "fr")


class Message(NamedTuple):
    """One entry: the text and what to do about it, in both languages (an empty remedy means none is needed)."""

    en: str
    fr: str
    remedy_en: str = ""
    remedy_fr: str = ""


def language(environ: Mapping[str, str] | None = None) -> str:
    """Return ``en`` or ``fr``: ``IKOMA_LANG``, else the locale, else English."""
    env = os.environ if environ is None else environ
    for name in ("IKOMA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := env.get(name):
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


@cache
def catalogue() -> dict[str, Message]:
    """Return all messages by id. Raises ``ValueError`` when two domains define the same id."""
    merged: dict[str, Message] = {}
    for module in pkgutil.iter_modules(__path__):
        table: dict[str, Message] = importlib.import_module(f"{__name__}.{module.name}").MESSAGES
        if clash := merged.keys() & table.keys():
            raise ValueError(f"message defined twice: {sorted(clash)}")
        merged |= table
    return merged


def text(message_id: str, params: Mapping[str, object], lang: str | None = None) -> str:
    """Return the sentence of ``message_id`` with ``params`` filled in. An unknown id is shown as it is."""
    message = catalogue().get(message_id)
    if message is None:
        return f"{message_id} {dict(params)}" if params else message_id
    return _fill(message.fr if (lang or language()) == "fr" else message.en, params)


def remedy(message_id: str, params: Mapping[str, object], lang: str | None = None) -> str:
    """Return what to do next about ``message_id``, or an empty string."""
    message = catalogue().get(message_id)
    if message is None:
        return ""
    return _fill(message.remedy_fr if (lang or language()) == "fr" else message.remedy_en, params)


class _Lenient(dict[str, object]):
    """``{of}`` is what names the target in a command that one can type anywhere; nothing where there is no target."""

    def __missing__(self, key: str) -> str:
        return "" if key == "of" else "{" + key + "}"


def _fill(template: str, params: Mapping[str, object]) -> str:
    return template.format_map(_Lenient(params))
