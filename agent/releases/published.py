"""The release that CI published for a commit: an artifact in the registry, found by environment and commit.

Standard library only, so that a host needs no registry client.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import IO, Any, Final
from urllib.parse import urlencode, urlsplit

from agent.model.artifact import BUNDLE, MANIFEST, NAME, tag
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.secret import Secret
from agent.protocol import MAX_BUNDLE

SECONDS: Final = 20.0
_FIELD: Final = re.compile(r'(\w+)="([^"]*)"')
_LOOPBACK: Final = re.compile(r"(localhost|127\.[0-9.]+)(:\d+)?")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Registry:
    """Where this host's images come from, and its login there."""

    prefix: str
    user: str
    token: Secret

    @property
    def host(self) -> str:
        return self.prefix.strip("/").partition("/")[0]

    def repository(self, app: str) -> str:
        """Return the repository of an app's releases."""
        path = self.prefix.strip("/").partition("/")[2].lower()
        return "/".join(part for part in (path, app, NAME) if part)


def fetch(registry: Registry, target: Target, commit: str) -> bytes:
    """Return the bundle that was published for ``commit``.

    Raises:
        IkomaError: ``source.not_published`` when there is none, ``source.registry`` when the registry cannot be asked
            or what it has is not what it says.
    """
    base = f"{'http' if _LOOPBACK.fullmatch(registry.host) else 'https'}://{registry.host}/v2/"
    base += registry.repository(target.app)
    session = _Session(registry)
    try:
        manifest = json.loads(session.get(f"{base}/manifests/{tag(target.environment, commit)}", MANIFEST))
        layer = _layer(manifest)
        raw = session.get(f"{base}/blobs/{layer['digest']}", "*/*", int(layer["size"]))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise IkomaError("source.not_published", target=target, commit=commit[:12]) from None
        raise IkomaError("source.registry", registry=registry.host, reason=f"HTTP {error.code}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(getattr(error, "reason", error))[:200]
        raise IkomaError("source.registry", registry=registry.host, reason=reason) from None
    if "sha256:" + hashlib.sha256(raw).hexdigest() != layer["digest"]:
        raise IkomaError("source.registry", registry=registry.host, reason="the release is not what its digest says")
    return raw


def _layer(manifest: Any) -> dict[str, Any]:
    """Return the one layer of an artifact of ours. Raises ``ValueError`` for anything else."""
    found = [layer for layer in manifest["layers"] if layer["mediaType"] == BUNDLE]
    if len(found) != 1 or not _DIGEST.fullmatch(str(found[0]["digest"])) or int(found[0]["size"]) > MAX_BUNDLE:
        raise ValueError("the artifact holds no release")
    return dict(found[0])


class _Session:
    """Requests to one registry; logs in when it asks for that."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._login = registry, ""
        self._opener = urllib.request.build_opener(_Redirects())

    def get(self, url: str, kind: str, size: int = 1024 * 1024) -> bytes:
        """Return a body of at most ``size`` bytes."""
        try:
            return self._once(url, kind, size)
        except urllib.error.HTTPError as error:
            if error.code != 401 or self._login:
                raise
            self._log_in(str(error.headers.get("WWW-Authenticate", "")))
            return self._once(url, kind, size)

    def _once(self, url: str, kind: str, size: int) -> bytes:
        headers = {"Accept": kind} | ({"Authorization": self._login} if self._login else {})
        with self._open(url, headers) as answer:
            raw: bytes = answer.read(size + 1)
        if len(raw) > size:
            raise ValueError("the answer is larger than announced")
        return raw

    def _log_in(self, challenge: str) -> None:
        kind, _, rest = challenge.partition(" ")
        basic = self._basic()
        if kind.lower() != "bearer":
            self._login = basic
            return
        fields = dict(_FIELD.findall(rest))
        query = urlencode({"service": fields.get("service", ""), "scope": fields.get("scope", "")})
        headers = {"Authorization": basic} if basic else {}
        with self._open(f"{fields['realm']}?{query}", headers) as answer:
            said = json.loads(answer.read(65536))
        self._login = "Bearer " + str(said.get("token") or said.get("access_token"))

    def _open(self, url: str, headers: dict[str, str]) -> Any:
        """Ask over HTTPS, and over HTTP only on loopback: a registry may not send us, or our login, elsewhere."""
        place = urlsplit(url)
        if place.scheme != "https" and not (place.scheme == "http" and _LOOPBACK.fullmatch(place.netloc)):
            raise ValueError(f"{place.scheme or 'nothing'} is no way to ask a registry")
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (its scheme was looked at)
        return self._opener.open(request, timeout=SECONDS)

    def _basic(self) -> str:
        if not self._registry.token:
            return ""
        raw = f"{self._registry.user}:{self._registry.token.reveal()}".encode()
        return "Basic " + base64.b64encode(raw).decode()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to where blobs are stored, without showing the login to another host."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            found.remove_header("Authorization")
        return found
