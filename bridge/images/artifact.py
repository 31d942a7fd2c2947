"""The release itself in the registry, beside its images: the bundle as an artifact, tagged by environment and commit.

A host that is told a commit (``ikoma deploy up --app suite --ref main``) finds there what CI made of it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final
from urllib.parse import urlencode, urljoin

import urllib3

from agent.model.artifact import BUNDLE, CONFIG, MANIFEST, NAME, tag
from agent.model.errors import IkomaError
from agent.model.names import Target
from bridge.images.names import Reference, ours
from bridge.images.registry import TIMEOUT, Client

_CREATED: Final = (200, 201, 202)


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


def _manifest(bundle: bytes) -> bytes:
    described = [
        {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}
        for kind, blob in ((CONFIG, b"{}"), (BUNDLE, bundle))
    ]
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _digest(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()
