"""The release itself in the registry, beside its images: the bundle as an artifact, tagged by environment and commit.

A host that is told a commit (``ikoma deploy up --app suite --ref main``) finds there what CI made of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final
from urllib.parse import urlencode, urljoin

import urllib3

from agent.model.artifact import BUNDLE, CONFIG, MANIFEST, NAME, tag
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.protocol import MAX_BUNDLE
from bridge.images.names import Reference, ours
from bridge.images.registry import TIMEOUT, Client

_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")
_CREATED: Final = (200, 201, 202)


class Keeper(Client):
    """A client that reads what was published."""

    def fetch(self, prefix: str, target: Target, commit: str) -> bytes:
        """Return the bundle of the release that was published under ``commit``.

        Raises:
            IkomaError: ``registry.no_release`` when there is none, ``registry.odd`` when what is there is not what its
                manifest says, and ``registry.…`` as for images.
        """
        reference = ours(prefix, target.app, NAME, tag(target.environment, commit))
        self._prepare(reference)
        answer = self._ask(reference, "GET")
        if answer.status == 404:
            raise IkomaError("registry.no_release", target=target, commit=commit[:12])
        layer = _layer(self._good(reference, answer).data)
        url = f"{self._base(reference)}/v2/{reference.repository}/blobs/{layer}"
        blob = self._request(reference.registry, "GET", url, self._authorization(reference))
        raw: bytes = self._good(reference, blob).data
        if _digest(raw) != layer:
            raise self._odd(reference, "another digest")
        return raw

    def _good(self, reference: Reference, answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
        if answer.status in (401, 403):
            raise IkomaError("registry.denied", registry=reference.registry, what="pull",
                             repository=reference.repository, said=answer.status)  # fmt: skip
        if answer.status != 200:
            raise self._odd(reference, answer.status)
        return answer

    @staticmethod
    def _odd(reference: Reference, status: object) -> IkomaError:
        return IkomaError("registry.odd", registry=reference.registry, status=status, repository=reference.repository)


class Publisher(Client):
    """A client that may write."""

    def publish(self, prefix: str, target: Target, commit: str, bundle: bytes) -> Reference:
        """Push a release's bundle under its commit; one that stands there already is left alone.

        Raises:
            IkomaError: ``registry.…``, as for images.
        """
        reference = ours(prefix, target.app, NAME, tag(target.environment, commit))
        self._prepare(reference)
        wanted = _manifest(bundle)
        if self.digest(reference) == _digest(wanted):
            return reference
        for blob in (b"{}", bundle):
            self._upload(reference, blob)
        url = f"{self._base(reference)}/v2/{reference.repository}/manifests/{reference.tag}"
        self._send(reference, "PUT", url, wanted, MANIFEST)
        return reference

    def _upload(self, reference: Reference, blob: bytes) -> None:
        base = f"{self._base(reference)}/v2/{reference.repository}/blobs"
        if self._send(reference, "HEAD", f"{base}/{_digest(blob)}", b"", "", missing=True).status == 200:
            return
        begun = self._send(reference, "POST", f"{base}/uploads/", b"", "")
        place = urljoin(base, begun.headers["Location"])
        joint = "&" if "?" in place else "?"
        url = f"{place}{joint}{urlencode({'digest': _digest(blob)})}"
        self._send(reference, "PUT", url, blob, "application/octet-stream")

    def _send(
        self, reference: Reference, method: str, url: str, body: bytes, kind: str, *, missing: bool = False
    ) -> urllib3.BaseHTTPResponse:
        headers = self._authorization(reference) | ({"Content-Type": kind} if kind else {})
        try:
            answer = self._pool(url).request(method, url, body=body or None, headers=headers, timeout=TIMEOUT,
                                             retries=urllib3.Retry(1, redirect=3, raise_on_status=False))  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            reason = str(getattr(error, "reason", error))[:200]
            raise IkomaError("registry.unreachable", registry=reference.registry, reason=reason) from None
        if answer.status in _CREATED or (missing and answer.status == 404):
            return answer
        if answer.status in (401, 403):
            raise IkomaError("registry.denied", registry=reference.registry, what="push",
                             repository=reference.repository, said=answer.status)  # fmt: skip
        raise IkomaError(
            "registry.odd", registry=reference.registry, status=answer.status, repository=reference.repository
        )

    def _scope(self, reference: Reference) -> str:
        return f"repository:{reference.repository}:pull,push"


def _layer(manifest: bytes) -> str:
    """Return the digest of the one layer of an artifact of ours, or nothing that any content could have."""
    try:
        layers = json.loads(manifest)["layers"]
        found = [
            str(layer["digest"]) for layer in layers if layer["mediaType"] == BUNDLE and layer["size"] <= MAX_BUNDLE
        ]
    except (ValueError, KeyError, TypeError):
        return ""
    return found[0] if len(found) == 1 and _SHA256.fullmatch(found[0]) else ""


def _manifest(bundle: bytes) -> bytes:
    described = [
        {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}
        for kind, blob in ((CONFIG, b"{}"), (BUNDLE, bundle))
    ]
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _digest(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()
