"""Bundles from outside: verified against their announced SHA-256, unpacked name by name, durable, size-capped.

Nothing of the archive decides where a file goes: only regular files whose names match the list below are read, and
each is written by us. Links, devices, owners and modes in the archive are never looked at.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

from agent.host.files import sync_folder
from agent.host.paths import Paths
from agent.model.errors import IkomaError, Misuse
from agent.protocol import MAX_BUNDLE

if TYPE_CHECKING:
    import tarfile

MAX_FILE: Final = 128 * 1024 * 1024
MAX_TOTAL: Final = 512 * 1024 * 1024
BLOBS: Final = "blobs/"
"""Parts of images, for a host without a way to the registry: stored as they are, so that the archive bounds them."""

COPIES: Final = 2
"""A bundle lies here as it came while it is unpacked."""

MAX_FILES: Final = 20_000
MAX_NAME: Final = 64 * 1024
"""Bytes of a long name or an extended header, which ``tarfile`` reads into memory as a whole."""

_CHUNK: Final = 1024 * 1024
_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"
_ALLOWED: Final = re.compile(
    rf"release\.json|migrations/{_PART}|(files|blobs)/[0-9a-f]{{64}}|seeds/{_PART}(/{_PART}){{0,8}}"
)
_STALE_SECONDS: Final = 3600


def folder(paths: Paths, operation: str) -> Path:
    """Return where the unpacked bundle of an operation lies."""
    return paths.incoming / operation


def check_room(paths: Paths, length: int, most_mb: int, spare_mb: int) -> None:
    """Refuse a bundle before any of it is read: larger than this host takes, or than its disk bears.

    Raises:
        Misuse: ``wire.too_large``; ``IkomaError``: ``preflight.disk``.
    """
    if length <= MAX_BUNDLE:
        return
    if length > most_mb << 20:
        raise Misuse("wire.too_large", megabytes=length >> 20, limit=most_mb)
    needed, free = (COPIES * length >> 20) + spare_mb, shutil.disk_usage(paths.state).free >> 20
    if free < needed:
        raise IkomaError("preflight.disk", free=free, folder=paths.state, needed=needed)


def receive(stream: IO[bytes], paths: Paths, length: int, sha256: str) -> Path:
    """Read ``length`` bytes, verify and unpack them; return a private folder that ``adopt`` gives its name.

    Raises:
        Misuse: ``wire.body`` for a short, altered or hostile bundle. Nothing stays behind.
    """
    private = paths.incoming / f".{uuid.uuid4().hex}"
    private.mkdir(mode=0o700, parents=True)
    try:
        archive = private / "bundle.tar.gz"
        _copy(stream, archive, length, sha256)
        unpack(archive, private)
        archive.unlink()
    except BaseException:
        discard(private)
        raise
    return private


def adopt(private: Path, paths: Paths, operation: str) -> Path:
    """Give a received bundle to its operation, durably. Replaces what an earlier, lost request had brought."""
    place = folder(paths, operation)
    discard(place)
    private.rename(place)
    sync_folder(paths.incoming)
    return place


def discard(place: Path) -> None:
    """Remove a bundle; it does not matter whether it is there."""
    shutil.rmtree(place, ignore_errors=True)


def sweep(paths: Paths, is_known: Callable[[str], bool]) -> None:
    """Remove what interrupted requests left behind more than an hour ago: bundles without an operation."""
    for left in paths.incoming.glob("*"):
        if time.time() - left.stat().st_mtime > _STALE_SECONDS and not is_known(left.name):
            discard(left)


def unpack(archive: Path, into: Path) -> None:
    """Write the files of a tar.gz below ``into``. Raises ``Misuse("wire.body")``."""
    import tarfile
    import zlib

    class Entry(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            entry = super().frombuf(buf, encoding, errors)
            if entry.size > MAX_NAME and entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                raise Misuse("wire.body", reason="the bundle is larger than allowed")
            return entry

    try:
        with tarfile.open(archive, "r|gz", tarinfo=Entry) as tar:
            total, blobs, most = 0, 0, archive.stat().st_size
            for count, member in enumerate(tar, 1):
                if member.name.startswith(BLOBS):
                    blobs += member.size
                else:
                    total += member.size
                _check(member, count, total, blobs <= most)
                if not member.isdir():
                    _write(tar, member, into)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Misuse("wire.body", reason="the bundle is no tar.gz") from None
    for parent in sorted({path.parent for path in into.rglob("*")}):
        sync_folder(parent)


def _check(member: tarfile.TarInfo, count: int, total: int, stored: bool) -> None:
    large = member.size > MAX_FILE and not member.name.startswith(BLOBS)
    if count > MAX_FILES or large or total > MAX_TOTAL or not stored:
        raise Misuse("wire.body", reason="the bundle is larger than allowed")
    if member.isdir():
        return
    if not member.isreg() or not _ALLOWED.fullmatch(member.name):
        raise Misuse("wire.body", reason=f"the bundle holds {member.name[:80]!r}")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    content = tar.extractfile(member)
    if content is None:
        raise Misuse("wire.body", reason=f"the bundle holds {member.name[:80]!r}")
    place = into / member.name
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with place.open("xb") as out:
            shutil.copyfileobj(content, out, _CHUNK)
            _sync(out)
    except FileExistsError:
        raise Misuse("wire.body", reason=f"the bundle holds {member.name[:80]!r} twice") from None


def _copy(stream: IO[bytes], place: Path, length: int, sha256: str) -> None:
    digest, left = hashlib.sha256(), length
    with place.open("xb") as out:
        while left and (chunk := stream.read(min(_CHUNK, left))):
            digest.update(chunk)
            out.write(chunk)
            left -= len(chunk)
    if left:
        raise Misuse("wire.body", reason=f"the bundle ended {left} bytes early")
    if digest.hexdigest() != sha256:
        raise Misuse("wire.body", reason="the bundle is not the one that was announced")


def _sync(out: IO[bytes]) -> None:
    out.flush()
    os.fsync(out.fileno())
