"""The release an operation is about: from the bundle that came with it, or from the record of an earlier one."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from agent.host.files import sync_folder
from agent.host.paths import Paths
from agent.model import release as releases
from agent.model.errors import Misuse
from agent.model.names import RELEASE, Target
from agent.model.release import MIGRATION_FILE, Release

MAX_MEMBER: Final = 128 * 1024 * 1024
_MEMBERS: Final = re.compile(rf"release\.json|migrations/{MIGRATION_FILE.pattern}|files/[0-9a-f]{{64}}|seeds/[\w.-]+")
_FACT: Final = "incoming"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A release and the folder that holds its manifest, its migrations and the files it mounts."""

    release: Release
    folder: Path

    def migration(self, file: str) -> Path:
        """Return where one of the release's migration files lies."""
        return self.folder / "migrations" / file


class Operation(Protocol):
    """The parts of an operation's context that are read here."""

    target: Target
    paths: Paths
    args: dict[str, Any]
    bundle: Path | None
    facts: dict[str, Any]


def of(ctx: Operation) -> Incoming:
    """Return the operation's release, unpacked and checked; later calls of the same process return the same.

    Raises:
        Misuse: ``release.bundle`` for a damaged bundle, ``release.other`` when it is not the release that was
            announced or belongs to another target, ``release.unknown`` when no record has that name.
    """
    if _FACT not in ctx.facts:
        ctx.facts[_FACT] = _open(ctx)
    found: Incoming = ctx.facts[_FACT]
    return found


def _open(ctx: Operation) -> Incoming:
    wanted = str(ctx.args.get("release", ""))
    if not RELEASE.fullmatch(wanted):
        raise Misuse("release.unknown", release=wanted[:40], slug=ctx.target.slug)
    folder = ctx.paths.target(ctx.target).release(wanted)
    if ctx.bundle is not None:
        folder = ctx.bundle.parent / "unpacked"
        unpack(ctx.bundle, folder)
    elif not (folder / "release.json").exists():
        raise Misuse("release.unknown", release=wanted, slug=ctx.target.slug)
    release = load(folder)
    if release.id != wanted or release.target != ctx.target:
        raise Misuse("release.other", found=f"{release.id} ({release.target})", wanted=f"{wanted} ({ctx.target})")
    _verify(release, folder)
    return Incoming(release, folder)


def load(folder: Path) -> Release:
    """Return the manifest in ``folder``. Raises ``Misuse("release.bundle")`` or ``Misuse("release.invalid")``."""
    try:
        return releases.parse(json.loads((folder / "release.json").read_bytes()))
    except (OSError, ValueError) as error:
        raise Misuse("release.bundle", reason=str(error)) from None


def unpack(bundle: Path, folder: Path) -> None:
    """Unpack a bundle: plain files under the few names a bundle has, nothing else. Raises ``release.bundle``."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(bundle, "r:gz") as archive:
            for member in archive:
                _unpack_one(archive, member, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Misuse("release.bundle", reason=str(error)) from None
    sync_folder(folder)


def _unpack_one(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    if member.isdir():
        return
    if not member.isreg() or not _MEMBERS.fullmatch(member.name) or member.size > MAX_MEMBER:
        raise Misuse("release.bundle", reason=f"“{member.name[:80]}” does not belong into a bundle")
    source = archive.extractfile(member)
    target = folder / member.name
    target.parent.mkdir(exist_ok=True)
    if source is not None:
        target.write_bytes(source.read())


def _verify(release: Release, folder: Path) -> None:
    wanted = {f"migrations/{item.file}": item.sha256 for item in release.migrations}
    wanted |= {f"files/{item.sha256}": item.sha256 for item in release.files}
    for name, digest in wanted.items():
        path = folder / name
        if not path.is_file() or _sha256(path) != digest:
            raise Misuse("release.bundle", reason=f"{name} is missing or altered")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
