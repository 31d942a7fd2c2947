"""Images in a folder, as blobs by digest like in an OCI layout: what one needs, and whether it is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from agent.model.errors import IkomaError

FOLDER: Final = "blobs"
INDEXED: Final = "manifests"


def parts(bundle: Path, reference: str, platform: str) -> list[Path]:
    """Return the blobs of an image for one platform, each verified against its digest.

    Raises:
        IkomaError: ``image.incomplete`` for one that is missing, altered or no image.
    """
    folder = bundle / FOLDER
    try:
        found = [_hex(digest) for digest in _walk(folder, reference.rpartition("@")[2], platform)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IkomaError("image.incomplete", image=reference, reason=f"it is no image ({error})") from None
    for name in found:
        if _sha256(folder / name) != name:
            raise IkomaError("image.incomplete", image=reference, reason=f"sha256:{name} is missing or altered")
    return [folder / name for name in dict.fromkeys(found)]


def _walk(folder: Path, digest: str, platform: str) -> Iterator[str]:
    """Yield the digests of an index or manifest and of all that it needs on ``platform``."""
    yield digest
    file = folder / _hex(digest)
    document = json.loads(file.read_bytes()) if file.is_file() else {INDEXED: []}
    if INDEXED in document:
        for entry in document[INDEXED]:
            if fits(entry.get("platform") or {}, platform):
                yield from _walk(folder, str(entry["digest"]), platform)
                return
        return
    yield str(document["config"]["digest"])
    for layer in document["layers"]:
        yield str(layer["digest"])


def fits(found: Mapping[str, Any], platform: str) -> bool:
    """Say whether an index means this platform (``linux/amd64``) by an entry's ``platform``. Pure."""
    return f"{found.get('os')}/{found.get('architecture')}" == platform


def _hex(digest: str) -> str:
    """Return the name of a blob's file. Raises ``ValueError``: a digest decides where we read."""
    algorithm, _, name = digest.partition(":")
    if algorithm != "sha256" or len(name) != 64 or set(name) - set("0123456789abcdef"):
        raise ValueError(f"“{digest[:80]}” is no digest")
    return name


def _sha256(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
