"""Contexts: a laptop's settings under a name, so that they need not be typed. Never a secret in the file.

They lie in ``$XDG_CONFIG_HOME/ikoma-bridge/contexts.json`` (``~/.config``), or in the folder that ``BRIDGE_CONFIG``
names. A context stands behind options and variables and before the contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.host.files import read_json, write_json
from agent.model.errors import Misuse

VARIABLES: Final = {
    "host": "BRIDGE_HOST",
    "port": "BRIDGE_PORT",
    "user": "BRIDGE_USER",
    "key": "BRIDGE_SSH_KEY",
    "known_hosts": "BRIDGE_KNOWN_HOSTS",
    "host_key": "BRIDGE_HOST_KEY",
    "registry": "BRIDGE_REGISTRY",
    "registry_user": "BRIDGE_REGISTRY_USER",
    "app": "BRIDGE_APP",
    "environment": "BRIDGE_ENVIRONMENT",
}
"""What a context may hold, and the variable that says the same. No token is among them."""

_ADDRESS: Final = ("port", "user", "key", "known_hosts", "host_key")
_TRUST: Final = ("known_hosts", "host_key")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")


@dataclass(frozen=True, slots=True)
class Contexts:
    """What the file holds; ``current`` is empty when none is used."""

    current: str = ""
    known: dict[str, dict[str, str]] = field(default_factory=dict)


def file(environ: Mapping[str, str]) -> Path | None:
    """Return where contexts are kept, None where there is no home."""
    if chosen := environ.get("BRIDGE_CONFIG"):
        return Path(chosen) / "contexts.json"
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    return Path(home) / "ikoma-bridge/contexts.json" if home else None


def load(environ: Mapping[str, str]) -> Contexts:
    """Return the contexts. Raises ``Misuse("context.invalid")``."""
    path = file(environ)
    if path is None or not path.is_file():
        return Contexts()
    try:
        data = read_json(path)
        known = {str(name): {str(k): str(v) for k, v in values.items()} for name, values in data["contexts"].items()}
        return Contexts(str(data.get("current", "")), known)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise Misuse("context.invalid", file=path, reason=str(error)) from None


def add(environ: Mapping[str, str], name: str, values: Mapping[str, str]) -> Contexts:
    """Write a context, and use it if it is the first.

    Raises:
        Misuse: ``context.name``, ``context.unknown_setting``, ``context.secret`` for a key that is no path.
    """
    if not _NAME.fullmatch(name):
        raise Misuse("context.name", name=name[:60])
    for key, value in values.items():
        if key not in VARIABLES:
            raise Misuse("context.unknown_setting", setting=key[:40], known=", ".join(VARIABLES))
        if "PRIVATE KEY" in value or "\n" in value:
            raise Misuse("context.secret", setting=key)
    found = load(environ)
    known = found.known | {name: {key: value for key, value in values.items() if value}}
    return _save(environ, Contexts(found.current or name, known))


def use(environ: Mapping[str, str], name: str) -> Contexts:
    """Use a context from now on; an empty name uses none. Raises ``Misuse("context.unknown")``."""
    found = load(environ)
    return _save(environ, Contexts(_known(found, name), found.known))


def remove(environ: Mapping[str, str], name: str) -> Contexts:
    """Forget a context. Raises ``Misuse("context.unknown")``."""
    found = load(environ)
    _known(found, name)
    left = {key: values for key, values in found.known.items() if key != name}
    return _save(environ, Contexts("" if found.current == name else found.current, left))


def overlaid(environ: Mapping[str, str], host: str = "", name: str = "") -> Mapping[str, str]:
    """Return ``environ``, and behind it what the context in use says.

    Args:
        host: what ``--host`` says: an address of the context is of no use for another host.
        name: what ``--context`` says.

    Raises:
        Misuse: ``context.invalid``, ``context.unknown``.
    """
    asked = name or environ.get("BRIDGE_CONTEXT", "")
    found = load(environ)
    chosen = _known(found, asked) if asked else found.current
    values = dict(found.known.get(chosen, {}))
    if (host or environ.get("BRIDGE_HOST") or values.get("host")) != values.get("host"):
        values = {key: value for key, value in values.items() if key not in (*_ADDRESS, "host")}
    if any(environ.get(VARIABLES[key]) for key in _TRUST):  # two halves of an answer from two sources are none
        values = {key: value for key, value in values.items() if key not in _TRUST}
    behind = {VARIABLES[key]: value for key, value in values.items() if key in VARIABLES}
    return {**behind, **{key: value for key, value in environ.items() if value or key not in behind}}


def _known(found: Contexts, name: str) -> str:
    if name and name not in found.known:
        raise Misuse("context.unknown", name=name[:60], known=", ".join(sorted(found.known)) or "–")
    return name


def _save(environ: Mapping[str, str], contexts: Contexts) -> Contexts:
    path = file(environ)
    if path is None:
        raise Misuse("context.nowhere")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(path, {"current": contexts.current, "contexts": contexts.known}, 0o600)
    return contexts
