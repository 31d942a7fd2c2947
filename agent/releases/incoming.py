"""The release an operation is about: from the bundle that came with it, or from the record of an earlier one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from agent.host.paths import Paths
from agent.model import release as releases
from agent.model.errors import Misuse
from agent.model.names import RELEASE, Target
from agent.model.release import Release

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


def put(ctx: Operation, release: Release, folder: Path) -> None:
    """Let the operation be about ``release``, whose files lie in ``folder``, from here on."""
    ctx.facts[_FACT] = Incoming(release, folder)


def _open(ctx: Operation) -> Incoming:
    wanted = str(ctx.args.get("release", ""))
    if not RELEASE.fullmatch(wanted):
        raise Misuse("release.unknown", release=wanted[:40], slug=ctx.target.slug)
    folder = ctx.paths.target(ctx.target).release(wanted)
    if ctx.bundle is not None:
        folder = ctx.bundle
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
    except (OSError, ValueError, RecursionError) as error:
        raise Misuse("release.bundle", reason=str(error)) from None


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
