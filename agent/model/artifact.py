"""How a release stands in a registry beside its images: names and media types that both sides use. Pure."""

from __future__ import annotations

from typing import Final

NAME: Final = "release"
"""Repository of an app's releases, beside those of its services."""

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.ikoma.release.config.v1+json"
BUNDLE: Final = "application/vnd.ikoma.release.bundle.v1.tar+gzip"


def tag(environment: str, commit: str) -> str:
    """Return the tag of a commit's release for an environment."""
    return f"{environment}-{commit}"
