"""Names and identities: targets, operations, releases, services. Pure."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

from agent.model.errors import Misuse

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
SERVICE: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}")
RELEASE: Final = re.compile(r"r-[0-9a-f]{12}")
MIGRATION_FILE: Final = re.compile(r"(?P<version>[0-9]{1,20})_(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]{0,99})\.sql")
PRODUCTION: Final = "production"


def check_name(value: str, what: str) -> str:
    """Return ``value`` if it is an app or environment name, else raise ``Misuse("name.bad")``."""
    if not NAME.fullmatch(value):
        raise Misuse("name.bad", what=what, value=value[:80])
    return value


@dataclass(frozen=True, slots=True)
class Target:
    """One app in one environment; its slug names everything that belongs to it on a host."""

    app: str
    environment: str = PRODUCTION

    def __post_init__(self) -> None:
        check_name(self.app, "app")
        check_name(self.environment, "environment")

    @property
    def slug(self) -> str:
        """``<app>`` for production, else ``<app>_<environment>``: compose project, lock, folder, database."""
        return self.app if self.environment == PRODUCTION else f"{self.app}_{self.environment}"

    @property
    def options(self) -> str:
        """What names it on a command line: ``--app shop --env staging``."""
        return f"--app {self.app}" + ("" if self.environment == PRODUCTION else f" --env {self.environment}")

    @classmethod
    def from_slug(cls, slug: str) -> Target:
        """The inverse of ``slug``: names hold no underscore, so the first one separates."""
        app, _, environment = slug.partition("_")
        return cls(app, environment or PRODUCTION)

    @classmethod
    def of_folder(cls, name: str) -> Target | None:
        """Return the target that a folder of this name belongs to; None for somebody else's."""
        try:
            return cls.from_slug(name)
        except Misuse:
            return None

    def __str__(self) -> str:
        return self.app if self.environment == PRODUCTION else f"{self.app} ({self.environment})"


def new_operation() -> str:
    """Return a UUIDv7 (RFC 9562): sortable by time of creation, in milliseconds."""
    return _uuid7(time.time_ns() // 1_000_000, os.urandom(10))


def derived_operation(*identity: str) -> str:
    """Return the same UUIDv7-shaped id for the same identity (run id, attempt, job, target).

    A retry of a run is thereby no second operation.
    """
    digest = hashlib.sha256("\0".join(identity).encode()).digest()
    return _uuid7(int.from_bytes(digest[:6], "big"), digest[6:16])


def _uuid7(milliseconds: int, entropy: bytes) -> str:
    raw = bytearray(milliseconds.to_bytes(6, "big") + entropy[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))


def check_operation(value: str) -> str:
    """Return the canonical form of an operation id, else raise ``Misuse("name.operation")``."""
    try:
        parsed = uuid.UUID(value)
    except ValueError:
        raise Misuse("name.operation", value=value[:80]) from None
    if parsed.version != 7 or str(parsed) != value.lower():
        raise Misuse("name.operation", value=value[:80])
    return str(parsed)


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of ``value``: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of ``value``, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def release_id(manifest: dict[str, Any]) -> str:
    """Return ``r-`` and 12 hex digits over the manifest without its provenance: same content, same release."""
    content = {key: value for key, value in manifest.items() if key not in {"provenance", "release"}}
    return "r-" + fingerprint(content)[:12]
