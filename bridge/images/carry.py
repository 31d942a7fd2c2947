"""A release that brings its images along, for a host without a way to the registry.

Images are taken from the Docker engine here, which still has what it built or pulled, else from their registry; each
blob is verified against its digest before it is sent, and by the host once more.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import urllib3

from agent.host import imageparts, process
from agent.model import messages
from agent.model.errors import IkomaError
from bridge.images import names
from bridge.images.names import Reference
from bridge.images.registry import ACCEPT, TIMEOUT, Client
from bridge.images.render import environment

_CHUNK: Final = 1024 * 1024

Say = Callable[[str], None]


def pack(release: bytes, references: Sequence[str], platform: str, client: Client, folder: Path, say: Say) -> Path:
    """Return a bundle in ``folder``: that of the release, and every blob of these images once.

    Raises:
        IkomaError: ``carry.missing`` where neither the engine here nor the registry has an image whole.
    """
    blobs = folder / imageparts.FOLDER
    blobs.mkdir()
    _from_engine([item for item in references if _has(item)], blobs)
    wanted: dict[str, Path] = {}
    for reference in references:
        found = _whole(reference, platform, client, folder)
        wanted |= {blob.name: blob for blob in found}
        said = {"image": reference.partition("@")[0], "size": f"{sum(map(_size, found)) / 1e6:.1f}"}
        say(messages.text("carry.image", said))
    return _write(release, wanted, folder / "bundle.tar.gz")


def _whole(reference: str, platform: str, client: Client, folder: Path) -> list[Path]:
    try:
        return imageparts.parts(folder, reference, platform)
    except IkomaError:
        pass
    try:
        _from_registry(names.parse(reference), folder / imageparts.FOLDER, platform, client)
        return imageparts.parts(folder, reference, platform)
    except (IkomaError, urllib3.exceptions.HTTPError) as error:
        raise IkomaError("carry.missing", image=reference, reason=error) from None


def _has(reference: str) -> bool:
    return process.run(["docker", "image", "inspect", reference], env=environment(), check=False, timeout=60).ok


def _from_engine(references: Sequence[str], blobs: Path) -> None:
    """Take images out of the engine here; one whose store forgets digests gives none that anybody asks for."""
    if not references:
        return
    saved = blobs.parent / "saved.tar"
    argv = ["docker", "save", "--output", str(saved), *references]
    if not process.run(argv, env=environment(), check=False).ok:
        return
    with tarfile.open(saved) as archive:
        for member in archive:
            if member.isreg() and member.name.startswith("blobs/sha256/"):
                _copy(archive.extractfile(member), blobs / Path(member.name).name)
    saved.unlink()


def _from_registry(reference: Reference, blobs: Path, platform: str, client: Client) -> None:
    """Fetch an index or manifest and what it needs on one platform."""
    fetch = Fetcher.of(client)
    document = json.loads(fetch.into(reference, "manifests", reference.digest, blobs))
    if "manifests" in document:
        chosen = next(
            (item["digest"] for item in document["manifests"] if imageparts.fits(item.get("platform") or {}, platform)),
            None,
        )
        if chosen is None:
            raise IkomaError("image.platform", image=reference.name, registry=reference.registry, reason=platform)
        document = json.loads(fetch.into(reference, "manifests", chosen, blobs))
    for part in (document["config"], *document["layers"]):
        fetch.into(reference, "blobs", part["digest"], blobs)


class Fetcher(Client):
    """A client that reads whole images."""

    @classmethod
    def of(cls, client: Client) -> Fetcher:
        """Return one that logs in as ``client`` does."""
        return cls(client._access, client._environ)

    def into(self, reference: Reference, kind: str, digest: str, blobs: Path) -> bytes:
        """Store one part by its digest, unless it is there; return it if it is a manifest.

        Raises:
            IkomaError: ``registry.…``, as for questions.
        """
        place = blobs / digest.rpartition(":")[2]
        if not place.exists():
            self._prepare(reference)
            _copy(self._stream(reference, kind, digest), place)
        return place.read_bytes() if kind == "manifests" else b""

    def _stream(self, reference: Reference, kind: str, digest: str) -> urllib3.BaseHTTPResponse:
        url = f"{self._base(reference)}/v2/{reference.repository}/{kind}/{digest}"
        headers = self._authorization(reference) | ({"Accept": ACCEPT} if kind == "manifests" else {})
        answer = self._pool(url).request("GET", url, headers=headers, timeout=TIMEOUT, preload_content=False,
                                         retries=urllib3.Retry(1, redirect=3, raise_on_status=False))  # fmt: skip
        if answer.status != 200:
            raise IkomaError("registry.odd", registry=reference.registry, status=answer.status,
                             repository=reference.repository)  # fmt: skip
        return answer


def _copy(stream: Any, place: Path) -> None:
    """Store what ``stream`` gives, under its name only when it is whole and what its name says."""
    partial, digest = place.with_name(place.name + ".partial"), hashlib.sha256()
    with partial.open("wb") as out:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
            out.write(piece)
    if digest.hexdigest() == place.name:
        partial.rename(place)
    else:
        partial.unlink()


def _write(release: bytes, blobs: Mapping[str, Path], file: Path) -> Path:
    """Write the bundle; layers are packed already, so that nothing is packed again."""
    with gzip.GzipFile(file, "wb", compresslevel=0, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as out:
        for member, content in _members(release):
            out.addfile(member, io.BytesIO(content))
        for name, blob in sorted(blobs.items()):
            entry = tarfile.TarInfo(f"{imageparts.FOLDER}/{name}")
            entry.size = _size(blob)
            with blob.open("rb") as stream:
                out.addfile(entry, stream)
    return file


def _members(release: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(release), mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and not member.name.startswith(f"{imageparts.FOLDER}/"):
                yield member, content.read()


def _size(file: Path) -> int:
    return file.stat().st_size
