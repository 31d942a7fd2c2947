"""IKB208: a secret in ARG, ENV or a compose file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks import secretlike
from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.compose import Compose, Service
from bridge.workspace.dockerfile import Dockerfile
from bridge.workspace.stages import pairs

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB208"


def check(facts: Facts) -> Iterable[Finding]:
    for path, parsed in facts.dockerfiles.items():
        if isinstance(parsed, Dockerfile):
            for item in parsed.instructions:
                if item.keyword in ("ARG", "ENV"):
                    for name, value in pairs(item.value):
                        yield from _dockerfile(
                            facts, path, (item.line, item.end), item.keyword, name, (value or "").strip("\"'")
                        )
    for compose in facts.composes:
        for service in compose.services:
            for name, value, keys in (*settings(service), *_told(service)):
                yield from _compose(compose, service, name, value, keys)


def _dockerfile(
    facts: Facts, path: str, lines: tuple[int, int], keyword: str, name: str, value: str
) -> Iterator[Finding]:
    line, column = facts.line_of(path, name, *lines)
    if secretlike.is_secret(name, value):
        message = f"{keyword} {name} holds what looks like a secret: all who pull the image have it."
        severity = Severity.ERROR if secretlike.has_shape(value) else Severity.WARNING
        yield Finding(ID, severity, path, line, column, message, name, fix=_fix(name))
    elif keyword == "ARG" and secretlike.is_name(name) and not value:
        message = f"ARG {name} is a secret by its name: what is passed for it stays in the history of the image."
        yield Finding(ID, Severity.INFO, path, line, column, message, name, fix=_fix(name))


def _fix(name: str) -> str:
    return f"Pass it while building only: RUN --mount=type=secret,id={name.lower()} …"


def settings(service: Service) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (name, value, keys to it) of a service's environment and build arguments."""
    holders: list[tuple[tuple[str, ...], object]] = [(("environment",), service.data.get("environment"))]
    if service.build is not None:
        holders.append((("build", "args"), service.build.get("args")))
    for keys, holder in holders:
        if isinstance(holder, dict):
            for name, value in holder.items():
                yield str(name), "" if value is None else str(value), (*keys, str(name))
        elif isinstance(holder, list):
            for entry in holder:
                name, _, value = str(entry).partition("=")
                yield name, value, (*keys, name)


def _told(service: Service) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the same of what a service is started with, and of its labels: there a name says nothing."""
    for key in ("command", "entrypoint"):
        holder = service.data.get(key)
        for word in holder if isinstance(holder, list) else [holder]:
            if isinstance(word, str):
                yield key, word, (key,)
    labels = service.data.get("labels")
    stated = [f"{key}={value}" for key, value in labels.items()] if isinstance(labels, dict) else labels
    for entry in stated if isinstance(stated, list) else ():
        yield "labels", str(entry), ("labels", str(entry).partition("=")[0])


def _compose(compose: Compose, service: Service, name: str, value: str, keys: tuple[str, ...]) -> Iterator[Finding]:
    if not secretlike.is_secret(name, value):
        return
    line, column = compose.position("services", service.name, *keys)
    message = f"{name} of the service {service.name} holds what looks like a secret, in a file that is committed."
    variable = name if keys[0] in ("environment", "build") else "SECRET"
    fix = f"Write ${{{variable}:?must be set in app.env}}, and put the value into the environment file of the target."
    severity = Severity.ERROR if secretlike.has_shape(value) else Severity.WARNING
    yield Finding(ID, severity, compose.path, line, column, message, name, service.name,
                  frozenset({service.name}), fix)  # fmt: skip


RULE = Rule(
    ID,
    "secret-in-image",
    Severity.ERROR,
    "",
    "What stands in ARG or ENV is stored in the image and in its history, and what stands in a compose file is "
    "stored in git: everybody who can pull or clone has it, for good. Values with the shape of a service's key are "
    "errors, values under a telling name and passwords in addresses (scheme://user:password@host) warnings; "
    "references and placeholders are left alone. Values are never repeated in a report.",
    check,
)
