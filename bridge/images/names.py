"""Image references: ours, and those of others with what Docker leaves unsaid filled in. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from agent.model.errors import Misuse

HUB: Final = "docker.io"
HUB_API: Final = "registry-1.docker.io"

_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"\w[\w.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image: where it lives, what it is called, and the tag and digest that were asked for (either may be empty)."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def api(self) -> str:
        """The host that answers for the registry."""
        return HUB_API if self.registry == HUB else self.registry

    @property
    def wanted(self) -> str:
        """What to ask the registry for: the digest, else the tag."""
        return self.digest or self.tag

    @property
    def tagged(self) -> str:
        """The reference with its tag and without a digest: what a person means by it."""
        return f"{self.name}:{self.tag}" if self.tag else self.name

    def pinned(self, digest: str) -> str:
        """Return the full reference by ``digest``; a tag stays in it for people to read."""
        return f"{self.tagged}@{digest}"


def parse(text: str) -> Reference:
    """Return the image that ``text`` names; ``redis`` is ``docker.io/library/redis:latest``.

    Raises:
        Misuse: ``build.image_name``.
    """
    rest, _, digest = text.strip().partition("@")
    head, slash, tail = rest.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, path = head, tail
    else:
        registry, path = HUB, rest
    registry = HUB if registry in ("index.docker.io", HUB_API) else registry
    path, colon, tag = path.partition(":")
    if registry == HUB and "/" not in path:
        path = f"library/{path}"
    tag = tag if colon or digest else "latest"
    if colon and not tag:
        raise Misuse("build.image_name", name=text)
    _check(text, path, tag, digest)
    return Reference(registry, path, tag, digest)


def ours(prefix: str, app: str, service: str, tag: str) -> Reference:
    """Return the reference of a service's image below the registry ``prefix`` (``ghcr.io/acme``), in lower case."""
    registry, _, path = prefix.strip("/").partition("/")
    repository = "/".join(part for part in (path.lower(), app, service.lower()) if part)
    _check(f"{prefix}/{app}/{service}", repository, tag, "")
    return Reference(registry, repository, tag)


def _check(text: str, path: str, tag: str, digest: str) -> None:
    good = all(_PART.fullmatch(part) for part in path.split("/"))
    if not good or (tag and not _TAG.fullmatch(tag)) or (digest and not _DIGEST.fullmatch(digest)):
        raise Misuse("build.image_name", name=text)
