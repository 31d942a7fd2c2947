"""Changes to JSON that keep indentation, key order and everything else. Pure; applied twice they change once."""

from __future__ import annotations

import json
import re
from typing import Any

from bridge.workspace import jsontext


def set_dependency(text: str, section: str, name: str, specifier: str) -> str:
    """Return ``text`` of a manifest with ``name`` in ``section``; a new entry goes where the alphabet puts it.

    Raises:
        Broken: the manifest or the section is no object: a second one of its name would only hide it.
    """
    document = jsontext.parse(text)
    if not isinstance(document.value, dict):
        raise jsontext.Broken("it holds no object", 1, 1)
    if section not in document.value:
        return _add_section(text, document, section, {name: specifier})
    entries = document.value[section]
    if not isinstance(entries, dict):
        raise jsontext.Broken(f"{section} is no object", *document.position(section))
    if name in entries:
        return text if entries[name] == specifier else _replace(text, document, (section, name), specifier)
    if not entries:
        span = document.spans[(section,)]
        inner, outer = _indents(text)
        body = f"{{\n{inner * 2}{_pair(name, specifier)}\n{inner}}}"
        return text[: span.start] + body + text[span.end :] if outer is not None else text
    return _insert(text, document, section, name, specifier)


def remove(text: str, *path: str) -> str:
    """Return ``text`` without the entry at ``path``; a section that becomes empty goes with it."""
    document = jsontext.parse(text)
    if (span := document.spans.get(path)) is None:
        return text
    holder: Any = document.value
    for key in path[:-1]:
        holder = holder[key]
    if len(holder) == 1 and len(path) > 1:
        return remove(text, *path[:-1])
    start, end = span.key, span.end
    if (comma := re.compile(r"\s*,").match(text, end)) is not None:
        end = comma.end()
        start = start - len(_gap_before(text, start))
    else:
        start = text.rfind(",", 0, start)
    return text[:start] + text[end:]


def replace(text: str, path: tuple[str | int, ...], value: str) -> str:
    """Return ``text`` with the string at ``path`` replaced; unchanged when there is none."""
    document = jsontext.parse(text)
    return _replace(text, document, path, value) if path in document.spans else text


def _gap_before(text: str, offset: int) -> str:
    match = re.search(r"\s*\Z", text[:offset])
    return match[0] if match else ""


def _replace(text: str, document: jsontext.Document, path: tuple[str | int, ...], value: str) -> str:
    span = document.spans[path]
    return text[: span.start] + json.dumps(value, ensure_ascii=False) + text[span.end :]


def _pair(name: str, value: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"


def _indents(text: str) -> tuple[str, str | None]:
    match = re.search(r"\n([ \t]+)\"", text)
    return (match[1] if match else "  "), ("" if match else None)


def _insert(text: str, document: jsontext.Document, section: str, name: str, specifier: str) -> str:
    entries = document.value[section]
    before = [key for key in entries if key < name]
    is_sorted = list(entries) == sorted(entries)
    previous = (before[-1] if before else None) if is_sorted else list(entries)[-1]
    if previous is not None:
        span = document.spans[(section, previous)]
        gap = _gap_before(text, span.key)
        return f"{text[: span.end]},{gap}{_pair(name, specifier)}{text[span.end :]}"
    span = document.spans[(section, next(iter(entries)))]
    gap = _gap_before(text, span.key)
    return f"{text[: span.key]}{_pair(name, specifier)},{gap}{text[span.key :]}"


def _add_section(text: str, document: jsontext.Document, section: str, entries: dict[str, str]) -> str:
    """A new section goes behind its elder, else to the end."""
    order = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]
    inner, outer = _indents(text)
    one_line = outer is None
    gap, deep, close = (" ", " ", " ") if one_line else (f"\n{inner}", f"\n{inner * 2}", f"\n{inner}")
    body = ",".join(f"{deep}{_pair(name, value)}" for name, value in entries.items())
    piece = f"{json.dumps(section)}: {{{body}{close}}}"
    elders = [key for key in order[: order.index(section)] if (key,) in document.spans]
    anchor = elders[-1] if elders else next(reversed(document.value), None)
    if anchor is None:
        return text
    later = next((key for key in order[order.index(section) + 1 :] if (key,) in document.spans), None)
    if not elders and later is not None:
        span = document.spans[(later,)]
        return f"{text[: span.key]}{piece},{gap}{text[span.key :]}"
    span = document.spans[(anchor,)]
    return f"{text[: span.end]},{gap}{piece}{text[span.end :]}"


def remove_item(text: str, key: str, rule: str, path: str) -> str:
    """Return a contract without the entry of its list ``key`` that names this rule and path."""
    document = jsontext.parse(text)
    for index, entry in enumerate(document.value.get(key) or ()):
        if isinstance(entry, dict) and entry.get("rule") == rule and entry.get("path", "*") == path:
            if len(document.value[key]) == 1:
                return remove(text, key)
            return _without(text, document.spans[(key, index)])
    return text


def _without(text: str, span: jsontext.Span) -> str:
    """Cut one item of a list, with the comma behind it, else the one before it."""
    if (comma := re.compile(r"\s*,\s*").match(text, span.end)) is not None:
        return text[: span.start] + text[comma.end() :]
    return text[: text.rfind(",", 0, span.start)] + text[span.end :]
