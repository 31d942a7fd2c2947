"""An app as it lies in its folder on the host, released or not yet: its compose file and the values that this names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.host.files import read_json
from agent.host.paths import TargetPaths
from agent.model.errors import Misuse
from agent.releases import records
from agent.releases.site import Site

STARTER: Final = """\
# The services of this app. A deployment replaces this file by the one of its release.
services: {}
"""
_MOST: Final = 1024 * 1024
_NAMED: Final = re.compile(
    r"(?<!\$)\$(?:\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<how>:?[-?+])(?P<word>[^{}]*))?\}|(?P<bare>[A-Za-z_]\w*))"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A compose file and where it is from: a release id, or the name of the file in the app's folder."""

    source: str
    document: dict[str, Any]

    @property
    def services(self) -> dict[str, Any]:
        services = self.document.get("services")
        return services if isinstance(services, dict) else {}


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a compose file names. ``default`` is None where there is no other."""

    name: str
    default: str | None = None
    told: str = ""

    @property
    def required(self) -> bool:
        return self.default is None


def look(site: Site) -> Found | None:
    """Return the compose file of the release that serves, else the one that lies in the folder, else None.

    Raises:
        Misuse: ``compose.invalid`` for a file that cannot be read.
    """
    current = records.current(site)
    if current is not None:
        manifest = read_json(site.home.release(current.release) / records.MANIFEST, default={})
        return Found(current.release, manifest.get("compose") or {})
    return _written(site.home) if site.home.compose.exists() else None


def _written(home: TargetPaths) -> Found:
    return Found(home.compose.name, _listed(parse(home.compose)))


def parse(file: Path) -> dict[str, Any]:
    """Return a compose file as it stands there, without what it names of other files.

    Raises:
        Misuse: ``compose.invalid`` for a file that cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = file.read_bytes()[: _MOST + 1].decode()
        document = YAML(typ="safe", pure=True).load(text) if len(text) <= _MOST else "too large"
    except (OSError, UnicodeDecodeError, YAMLError, RecursionError) as error:
        raise Misuse("compose.invalid", reason=" ".join(str(error).split())[:300]) from None
    if not isinstance(document, dict):
        raise Misuse("compose.invalid", reason=f"{file.name} is no compose file")
    return document


def _listed(document: dict[str, Any]) -> dict[str, Any]:
    """Write the short form of ``env_file`` as the long one: it is the only one that the policy looks at."""
    services = document.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        if isinstance(service, dict) and isinstance(service.get("env_file"), str):
            service["env_file"] = [service["env_file"]]
    return document


def values(found: Found) -> list[Value]:
    """Return the values that the compose file names, by name; one that has a default anywhere has that. Pure."""
    known: dict[str, Value] = {}
    for text in _texts(found.document):
        for match in _NAMED.finditer(text):
            one = _value(match)
            if one.name not in known or known[one.name].required:
                known[one.name] = one
    return [known[name] for name in sorted(known)]


def _value(match: re.Match[str]) -> Value:
    name, how, word = match["braced"] or match["bare"], match["how"] or "", match["word"] or ""
    if how.endswith("?"):
        return Value(name, told=word)
    if how.endswith("+"):
        return Value(name, default="")
    return Value(name, default=word if how else None)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
