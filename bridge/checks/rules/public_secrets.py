"""IKB209: a secret under a name that a framework publishes to every browser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks import secretlike
from bridge.checks.model import Finding, Rule, Severity
from bridge.checks.rules.secrets_in_image import settings
from bridge.workspace.dockerfile import Dockerfile
from bridge.workspace.stages import pairs

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB209"

_PUBLIC = re.compile(r"(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|PUBLIC|EXPO_PUBLIC|GATSBY)_(\w+)")
_NEVER = re.compile(r"SECRET|PRIVATE_KEY|SERVICE_ROLE|(?:PASSWORD|CREDENTIALS?)$", re.IGNORECASE)


_MEANT_TO_BE = re.compile(r"AIza[\w-]{35}|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")
"""Keys of Google's browser services and anonymous tokens: made to be published, limited by their issuer."""


def check(facts: Facts) -> Iterable[Finding]:
    for path, parsed in facts.dockerfiles.items():
        if isinstance(parsed, Dockerfile):
            yield from _dockerfile(facts, path, parsed)
    for compose in facts.composes:
        for service in compose.services:
            for name, value, keys in settings(service):
                if _PUBLIC.fullmatch(name):
                    place = compose.position("services", service.name, *keys)
                    yield from _judge(compose.path, place, name, value, service.name)
    for path in facts.tree.files:
        if ".env" in path and re.search(r"(?:^|/)\.env(?:\.[\w.-]+)?$", path):
            yield from _environment(path, facts.tree.text(path))


def _dockerfile(facts: Facts, path: str, parsed: Dockerfile) -> Iterator[Finding]:
    for item in parsed.instructions:
        if item.keyword in ("ARG", "ENV"):
            for name, value in pairs(item.value):
                yield from _judge(path, facts.line_of(path, name, item.line, item.end), name, value or "", "")


def _environment(path: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if equals:
            yield from _judge(path, (number, 1), name.strip().removeprefix("export "), value.strip(), "")


def _judge(path: str, place: tuple[int, int], name: str, value: str, app: str) -> Iterator[Finding]:
    match = _PUBLIC.fullmatch(name)
    if match is None:
        return
    shaped = secretlike.has_shape(_MEANT_TO_BE.sub("", value))
    if not shaped and not (_NEVER.search(match[1]) and secretlike.is_name(match[1])):
        return
    message = f"{name} is built into the pages that every browser gets, and looks like a secret."
    fix = f"Rename it to {match[1]} and read it on the server only; if it was ever published, replace it."
    severity = Severity.ERROR if shaped else Severity.WARNING
    yield Finding(ID, severity, path, *place, message, name, app, frozenset({app} if app else ()), fix)


RULE = Rule(
    ID,
    "published-secret",
    Severity.ERROR,
    "",
    "Frameworks write variables of certain names (NEXT_PUBLIC_, VITE_, REACT_APP_ …) into the JavaScript that "
    "browsers load. A secret under such a name is published, whatever is done with it on the server.",
    check,
)
