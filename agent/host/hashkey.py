"""The host's key for hashes that must not allow guessing what was hashed."""

from __future__ import annotations

import os

from agent.host.paths import Paths


def load(paths: Paths) -> bytes:
    """Return the key (32 random bytes), making it on first use; 0600."""
    for _ in range(2):
        try:
            return paths.hash_key.read_bytes()
        except FileNotFoundError:
            _make(paths)
    raise FileNotFoundError(paths.hash_key)


def _make(paths: Paths) -> None:
    """Put a new key in place unless somebody else was first; never shows a part of it."""
    draft = paths.hash_key.with_name(f".hash.key.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, os.urandom(32))
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.link(draft, paths.hash_key)
    except FileExistsError:
        return
    finally:
        draft.unlink()
