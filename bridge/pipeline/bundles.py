"""The release on its way to a host: made from the sources, or read from where one was kept."""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.host.files import write_atomic
from agent.model.errors import Misuse
from agent.model.names import Target

if TYPE_CHECKING:
    from agent.model.release import Release
    from bridge.pipeline.settings import RegistryAccess

MANIFEST: Final = "release.json"
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True)
class Bundle:
    """One release and the bytes that carry it."""

    release: Release
    content: bytes

    @property
    def id(self) -> str:
        return self.release.id

    @property
    def target(self) -> Target:
        return self.release.target


def read(file: Path, repo: Path) -> Bundle:
    """Return the release kept in ``file``: a bundle, or a manifest whose other files stand in ``repo``.

    Raises:
        Misuse: ``cli.unreadable``, ``cli.release_file``, ``release.invalid``, ``release.changed``.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise Misuse("cli.unreadable", path=file, reason=error.strerror or type(error).__name__) from None
    if raw.startswith(_GZIP):
        return Bundle(_manifest(_inside(raw, file), file), raw)
    release = _manifest(raw, file)
    return Bundle(release, _from_repository(release, repo))


def is_commit(text: str) -> bool:
    """Say whether a release is named by its commit, not by a path."""
    return re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", text) is not None


def published(registry: RegistryAccess, target: Target, commit: str) -> Bundle:
    """Return the release that stands in the registry under ``commit``.

    Raises:
        IkomaError: ``registry.…``; ``registry.no_release`` when none was published.
        Misuse: ``cli.release_file`` when what stands there was made from something else, ``release.…``.
    """
    from bridge.images.artifact import Keeper

    raw = Keeper(registry).fetch(registry.address, target, commit)
    file = Path(commit[:12])
    bundle = Bundle(_manifest(_inside(raw, file), file), raw)
    if bundle.target != target or bundle.release.provenance.commit != commit:
        raise Misuse("cli.release_file", file=file, reason=f"it is one of {bundle.target}, of another commit")
    return bundle


def _inside(raw: bytes, file: Path) -> bytes:
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:gz") as archive:
            member = archive.extractfile(MANIFEST)
            return member.read(16 * 1024 * 1024) if member else b""
    except (KeyError, OSError, tarfile.TarError, EOFError):
        raise Misuse("cli.release_file", file=file, reason=f"it holds no {MANIFEST}") from None


def _manifest(raw: bytes, file: Path) -> Release:
    from agent.model import release

    try:
        data = json.loads(raw)
    except ValueError:
        raise Misuse("cli.release_file", file=file, reason="it is no JSON") from None
    if not isinstance(data, dict):
        raise Misuse("cli.release_file", file=file, reason="it is no JSON object")
    return release.parse(data)


def _from_repository(release: Release, repo: Path) -> bytes:
    from bridge.images.release import make_bundle, pack
    from bridge.workspace.project import Project

    if not release.migrations and not release.files:
        return pack({MANIFEST: json.dumps(release.to_json(), indent=1, ensure_ascii=False).encode()})
    return make_bundle(Project.open(repo, release.environment), release)


def keep(bundle: Bundle, file: Path) -> None:
    """Write the bundle to ``file``, or its manifest alone where the name ends in ``.json``."""
    if file.suffix == ".json":
        text = json.dumps(bundle.release.to_json(), indent=2, ensure_ascii=False) + "\n"
        write_atomic(file, text)
    else:
        write_atomic(file, bundle.content)
