"""Images that came with their release, for a host that cannot reach the registry: blobs by digest, as in an OCI layout.

The Engine keeps such an image under the very name that a pull would have given it, digest included, so that everything
that is verified later is verified against the same digest. Only an Engine with containerd's image store can.
(docs/adr/0021-images-that-travel-with-the-release.md)
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from agent.host.imageparts import FOLDER, INDEXED, parts
from agent.model.errors import IkomaError
from agent.releases.site import Site

NAME: Final = "io.containerd.image.name"
ROOM: Final = 3
"""How many times its compressed size an image needs in the Engine: packed, and unpacked."""

SILENCE: Final = 120.0
_CHUNK: Final = 1024 * 1024
_BLOCK: Final = 512


def size(bundle: Path | None) -> int:
    """Return the bytes of images in a bundle."""
    folder = bundle / FOLDER if bundle else None
    return sum(file.stat().st_size for file in folder.iterdir()) if folder and folder.is_dir() else 0


def keeps_names(info: Mapping[str, Any]) -> bool:
    """Say, from what the Engine says of itself, whether an image that is loaded keeps its digest. Pure."""
    return ["driver-type", "io.containerd.snapshotter.v1"] in (info.get("DriverStatus") or [])


def has(bundle: Path | None, reference: str) -> bool:
    """Say whether a bundle brings an image."""
    return bundle is not None and (bundle / FOLDER / reference.rpartition("sha256:")[2]).is_file()


def load(site: Site, bundle: Path, reference: str, platform: str, say: Callable[[str], None]) -> None:
    """Hand an image of a bundle to the Engine, under its name by digest.

    Raises:
        IkomaError: ``image.incomplete``, and ``image.not_kept`` where the Engine does not know it afterwards.
    """
    blobs = parts(bundle, reference, platform)
    name, total = reference.partition("@")[0], sum(blob.stat().st_size for blob in blobs)
    say(f"{name}: {total / 1e6:.1f} MB …")
    site.engine.load(archive(reference, blobs), SILENCE)
    if (site.engine.image(reference) or {}).get("Id") is None:
        raise IkomaError("image.not_kept", image=reference)
    say(f"{name}: ok")


def archive(reference: str, blobs: list[Path]) -> Iterator[bytes]:
    """Yield an OCI layout as a tar, piece by piece; the first blob is what the reference's digest names."""
    root = json.loads(blobs[0].read_bytes())
    entry = {"mediaType": _kind(root), "digest": reference.rpartition("@")[2], "size": blobs[0].stat().st_size,
             "annotations": {NAME: reference}}  # fmt: skip
    index = {"schemaVersion": 2, "manifests": [entry]}
    yield from _member("oci-layout", io.BytesIO(b'{"imageLayoutVersion":"1.0.0"}'))
    yield from _member("index.json", io.BytesIO(json.dumps(index).encode()))
    for blob in blobs:
        with blob.open("rb") as stream:
            yield from _member(f"blobs/sha256/{blob.name}", stream)
    yield bytes(2 * _BLOCK)


def _kind(root: Mapping[str, Any]) -> str:
    """Return the media type of a manifest or index; an OCI one need not state it."""
    kind = "index" if INDEXED in root else "manifest"
    return str(root.get("mediaType") or f"application/vnd.oci.image.{kind}.v1+json")


def _member(name: str, stream: Any) -> Iterator[bytes]:
    length = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    entry = tarfile.TarInfo(name)
    entry.size = length
    yield entry.tobuf()
    while piece := stream.read(_CHUNK):
        yield piece
    yield bytes(-length % _BLOCK)
