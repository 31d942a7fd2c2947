"""Who may do what: ``/etc/ikoma/keys.json``, and the lines of ``authorized_keys`` that follow from it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from agent.host import apikeys
from agent.host.clock import now
from agent.host.files import read_json, write_json
from agent.host.flock import Flock
from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.model.names import NAME, Target
from agent.protocol import ROLES

ALL: Final = "*"
_KEY_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}")
_TYPES: Final = ("ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                 "ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key may do. ``apps`` and ``environments`` hold names or ``*``, ``api_keys`` SHA-256 sums in hex."""

    name: str
    role: str
    apps: tuple[str, ...] = (ALL,)
    environments: tuple[str, ...] = (ALL,)
    fingerprint: str = ""
    public_key: str = ""
    added: str = ""
    api_keys: tuple[str, ...] = ()

    def has_role(self, needed: str) -> bool:
        """Say whether the role is at least ``needed``."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(needed)

    def may_act_on(self, target: Target) -> bool:
        """Say whether the key is granted the app and the environment."""
        return _grants(self.apps, target.app) and _grants(self.environments, target.environment)

    @property
    def everything(self) -> bool:
        """Whether the key is granted every app in every environment, and so the host as a whole."""
        return ALL in self.apps and ALL in self.environments

    def to_json(self) -> dict[str, Any]:
        """Return what stands behind the name in ``keys.json``."""
        return {key: value for key, value in asdict(self).items() if key != "name"}


LOCAL: Final = Grant("local", role="builder")
"""Whoever can run the program on the host: root, or one who could as well talk to the engine. No key has its name."""


def load(paths: Paths) -> dict[str, Grant]:
    """Return all grants by name, without revoked ones, each with the API secrets that are valid.

    Raises:
        Misuse: ``keys.invalid`` for a damaged file: nobody gets in then.
    """
    try:
        known = apikeys.load(paths)
        return {
            name: _with_secrets(grant, known) for name, grant in _stored(paths).items() if name not in known.revoked
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Misuse("keys.invalid", file=paths.api_keys, reason=str(error)) from None


def _stored(paths: Paths) -> dict[str, Grant]:
    try:
        return {name: _grant(name, value) for name, value in read_json(paths.keys, default={}).items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Misuse("keys.invalid", file=paths.keys, reason=str(error)) from None


def _with_secrets(grant: Grant, known: apikeys.Known) -> Grant:
    return replace(grant, api_keys=known.secrets.get(grant.name, grant.api_keys))


def put(paths: Paths, grant: Grant) -> Grant:
    """Add or replace a grant and return it as stored.

    Raises:
        Misuse: ``keys.invalid`` for a bad name, role, app, environment or public key.
    """
    checked = _checked(grant, str(paths.keys))
    with Flock(paths.etc / ".keys.lock"):
        grants = _stored(paths)
        added = grants[grant.name].added if grant.name in grants else now()
        stored = Grant(**asdict(checked) | {"added": added})
        _save(paths, grants | {grant.name: stored})
    apikeys.restore(paths, grant.name)
    return stored


def remove(paths: Paths, name: str) -> bool:
    """Take a grant away; say whether there was one."""
    with Flock(paths.etc / ".keys.lock"):
        grants = _stored(paths)
        found = grants.pop(name, None)
        if found is not None:
            _save(paths, grants)
            apikeys.revoke(paths, name)
    return found is not None


def authenticate(paths: Paths, api_key: str) -> Grant | None:
    """Return what the bearer of ``api_key`` may do, or None. Takes as long for a wrong key as for a right one.

    Raises:
        Misuse: ``keys.invalid``.
    """
    digest, found = apikeys.digest(api_key), None
    for grant in load(paths).values():
        for stored in grant.api_keys:
            if hmac.compare_digest(stored.encode(), digest.encode()):
                found = grant
    return found if api_key else None


def authorized_line(paths: Paths, grant: Grant) -> str:
    """Return the line of ``authorized_keys`` that lets this key call the agent and nothing else."""
    kind, blob = grant.public_key.split()[:2]
    program = paths.opt / "current/bin/ikoma-agent"
    return f'restrict,command="{program} serve --key {grant.name}" {kind} {blob} {grant.name}'


def authorized_keys(paths: Paths) -> str:
    """Return the whole file: one line for each grant with a public key."""
    lines = [authorized_line(paths, grant) for grant in load(paths).values() if grant.public_key]
    return "".join(f"{line}\n" for line in sorted(lines))


def fingerprint_of(public_key: str) -> str:
    """Return ``SHA256:…`` as ssh-keygen prints it. Raises ``ValueError`` when it is no public key."""
    words = public_key.split()
    if len(words) < 2 or words[0] not in _TYPES:
        raise ValueError("it is no OpenSSH public key")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        raise ValueError("it is no OpenSSH public key") from None
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    if kind != words[0].encode():
        raise ValueError("it is no OpenSSH public key")
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _checked(grant: Grant, file: str) -> Grant:
    def wrong(reason: str) -> Misuse:
        return Misuse("keys.invalid", file=file, reason=reason)

    if not _KEY_NAME.fullmatch(grant.name) or grant.name == LOCAL.name:
        raise wrong(f"“{grant.name[:80]}” is no name for a key")
    if grant.role not in ROLES:
        raise wrong(f"“{grant.role[:80]}” is none of {', '.join(ROLES)}")
    for name in (*grant.apps, *grant.environments):
        if name != ALL and not NAME.fullmatch(name):
            raise wrong(f"“{name[:80]}” is neither a name nor *")
    if not grant.public_key:
        return grant
    try:
        found = fingerprint_of(grant.public_key)
    except ValueError as error:
        raise wrong(str(error)) from None
    return Grant(**asdict(grant) | {"fingerprint": found, "public_key": " ".join(grant.public_key.split()[:2])})


def _save(paths: Paths, grants: dict[str, Grant]) -> None:
    write_json(paths.keys, {name: grants[name].to_json() for name in sorted(grants)})


def _grant(name: str, data: dict[str, Any]) -> Grant:
    known = {key: data[key] for key in ("role", "fingerprint", "public_key", "added") if key in data}
    for value in known.values():
        if not isinstance(value, str):
            raise TypeError(f"“{name}” holds something that is no text")
    apps, environments, api_keys = (tuple(data.get(key, ())) for key in ("apps", "environments", "api_keys"))
    return Grant(name, apps=apps, environments=environments, api_keys=tuple(map(str, api_keys)), **known)


def _grants(names: tuple[str, ...], name: str) -> bool:
    return ALL in names or name in names
