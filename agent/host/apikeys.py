"""What the agent itself may change about keys: their API secrets, and that one is revoked.

Grants lie in ``/etc/ikoma``, where only root writes: no call can widen what a key may do. Secrets are made and taken
back by calls, so they lie with the agent's own state; of each only the SHA-256 is stored.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.host.clock import now
from agent.host.files import read_json, write_json
from agent.host.flock import Flock
from agent.host.paths import Paths

VALID: Final = 2
"""Secrets of one key that are valid at the same time: the new one, and the one before until everybody has changed."""

_PREFIX: Final = "ikoma_"


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored. ``secrets`` holds the SHA-256 sums of a key's secrets, oldest first."""

    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    revoked: dict[str, str] = field(default_factory=dict)


def load(paths: Paths) -> Known:
    """Return what is stored. Raises ``ValueError`` or ``TypeError`` for a damaged file."""
    data: dict[str, Any] = read_json(paths.api_keys, default={})
    made = {str(name): tuple(map(str, sums)) for name, sums in data.get("secrets", {}).items()}
    return Known(made, {str(name): str(since) for name, since in data.get("revoked", {}).items()})


def digest(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def rotate(paths: Paths, name: str, present: tuple[str, ...]) -> str:
    """Make a new secret for a key and return it: this is the only time that it is seen.

    Args:
        present: the sums that are valid now; the newest of them stays valid beside the new one.
    """
    import secrets  # every call imports this module, and hardly one makes a secret

    secret = _PREFIX + secrets.token_urlsafe(32)
    with _locked(paths):
        known = load(paths)
        kept = known.secrets.get(name, present)[-(VALID - 1) :]
        _save(paths, known.secrets | {name: (*kept, digest(secret))}, known.revoked)
    return secret


def drop_previous(paths: Paths, name: str, present: tuple[str, ...]) -> int:
    """Make all secrets of a key but its newest invalid; return how many were."""
    with _locked(paths):
        known = load(paths)
        valid = known.secrets.get(name, present)
        _save(paths, known.secrets | {name: valid[-1:]}, known.revoked)
    return len(valid[:-1])


def revoke(paths: Paths, name: str) -> None:
    """Make a key worthless at every door, at once, and its secrets for good."""
    with _locked(paths):
        known = load(paths)
        _save(paths, known.secrets | {name: ()}, known.revoked | {name: now()})


def restore(paths: Paths, name: str) -> None:
    """Forget that a key was revoked: root has granted it again."""
    if name in load(paths).revoked:
        with _locked(paths):
            known = load(paths)
            _save(paths, known.secrets, {key: since for key, since in known.revoked.items() if key != name})


@contextlib.contextmanager
def _locked(paths: Paths) -> Iterator[None]:
    lock = paths.locks / "api-keys.lock"
    with Flock(lock):
        _hand_over(paths, lock)
        yield


def _save(paths: Paths, made: dict[str, tuple[str, ...]], revoked: dict[str, str]) -> None:
    sums = {name: list(made[name]) for name in sorted(made)}
    write_json(paths.api_keys, {"secrets": sums, "revoked": revoked}, 0o600)
    _hand_over(paths, paths.api_keys)


def _hand_over(paths: Paths, file: Path) -> None:
    """Give a file that root at the keyboard has just made to the agent's own user, who must read it too."""
    if os.geteuid() == 0:
        owner = paths.state.stat()
        os.chown(file, owner.st_uid, owner.st_gid)
