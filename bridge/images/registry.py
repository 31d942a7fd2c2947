"""Asking registries: which digest has a tag. Bearer tokens in the shape of ghcr.io, or Basic authentication.

Only HEAD requests and token requests are made here; images travel by Docker. Answers come in milliseconds where
``docker`` needs a process and a tenth of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import urllib3
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

from agent.model.errors import IkomaError, Misuse
from agent.model.secret import Secret
from bridge.images.names import HUB, Reference

ACCEPT: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=15.0)
PARALLEL: Final = 8

_HUB_LOGIN: Final = "https://index.docker.io/v1/"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:\d+)?")


class _Busy(urllib3.exceptions.HTTPError):
    """An answer that says: not now."""


def _may_pass(error: BaseException) -> bool:
    """A certificate or a wrong name does not get better by asking again; a lost connection may."""
    reason = getattr(error, "reason", error)
    final = isinstance(reason, urllib3.exceptions.NameResolutionError) or _is_untrusted(error)
    return isinstance(error, urllib3.exceptions.HTTPError) and not final


def _is_untrusted(error: BaseException) -> bool:
    return isinstance(getattr(error, "reason", error), urllib3.exceptions.SSLError)


class Access(Protocol):
    """Where our images live and how to log in there (an empty token: anonymously)."""

    @property
    def address(self) -> str: ...

    @property
    def username(self) -> str: ...

    @property
    def token(self) -> Secret: ...


class Client:
    """Answers for any registry; logs in with ``access`` where that is its own, as the user of Docker elsewhere.

    Tokens are kept per registry and repository for the life of the client. Safe for threads.
    """

    def __init__(self, access: Access | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._access = access
        self._environ = os.environ if environ is None else environ
        self._challenges: dict[str, str] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._lock = threading.Lock()
        if access is not None and access.token and not access.username:
            raise Misuse("registry.half_login")

    def digest(self, reference: Reference) -> str | None:
        """Return the digest that the registry has for ``reference``; None when it has none.

        Raises:
            IkomaError: ``registry.denied``, ``registry.bad_login``, ``registry.unreachable``,
                ``registry.untrusted``, ``registry.odd``.
        """
        answer = self._ask(reference)
        if answer.status == 200:
            return answer.headers.get("Docker-Content-Digest") or self._digest_of_body(reference)
        if answer.status == 404:
            return None
        if answer.status in (401, 403):
            raise IkomaError("registry.denied", registry=reference.registry, what="pull",
                             repository=reference.repository, said=answer.status)  # fmt: skip
        raise IkomaError(
            "registry.odd", registry=reference.registry, status=answer.status, repository=reference.repository
        )

    def resolve(self, reference: Reference) -> str:
        """Return the digest of an image that must exist. Raises ``IkomaError("registry.unknown")`` otherwise."""
        if reference.digest:
            return reference.digest
        if (digest := self.digest(reference)) is None:
            raise IkomaError("registry.unknown", registry=reference.registry, repository=reference.repository,
                             wanted=reference.wanted)  # fmt: skip
        return digest

    def digests(self, references: Iterable[Reference]) -> dict[Reference, str | None]:
        """Ask for many at once. Raises like ``digest``, for the first that fails."""
        wanted = list(dict.fromkeys(references))
        with ThreadPoolExecutor(PARALLEL) as pool:
            return dict(zip(wanted, pool.map(self.digest, wanted), strict=True))

    def resolve_all(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Resolve many at once. Raises like ``resolve``, for the first that fails."""
        wanted = list(dict.fromkeys(references))
        with ThreadPoolExecutor(PARALLEL) as pool:
            return dict(zip(wanted, pool.map(self.resolve, wanted), strict=True))

    def prepare(self, references: Iterable[Reference]) -> None:
        """Log in for several repositories at once, so that questions about them are answered in one round trip.

        Says nothing of what fails: the question itself will.
        """
        with ThreadPoolExecutor(PARALLEL) as pool:
            for done in [pool.submit(self._prepare, reference) for reference in references]:
                done.exception()

    def _prepare(self, reference: Reference) -> None:
        if reference.registry not in self._challenges:
            answer = self._request(reference.registry, "GET", f"{self._base(reference)}/v2/", {})
            self._challenges[reference.registry] = answer.headers.get("WWW-Authenticate", "")
        if challenge := self._challenges[reference.registry]:
            self._log_in(reference, challenge)

    def _ask(self, reference: Reference, method: str = "HEAD") -> urllib3.BaseHTTPResponse:
        url = f"{self._base(reference)}/v2/{reference.repository}/manifests/{reference.wanted}"
        headers = {"Accept": ACCEPT} | self._authorization(reference)
        answer = self._request(reference.registry, method, url, headers)
        if answer.status == 401 and (challenge := answer.headers.get("WWW-Authenticate")):
            self._log_in(reference, challenge)
            answer = self._request(reference.registry, method, url, headers | self._authorization(reference))
        return answer

    def _digest_of_body(self, reference: Reference) -> str:
        """For the rare registry that does not send the digest with a HEAD answer."""
        return "sha256:" + hashlib.sha256(self._ask(reference, "GET").data).hexdigest()

    def _base(self, reference: Reference) -> str:
        """Loopback registries speak plain HTTP, as Docker assumes too."""
        return f"{'http' if _LOOPBACK.fullmatch(reference.api) else 'https'}://{reference.api}"

    def _authorization(self, reference: Reference) -> dict[str, str]:
        token = self._tokens.get((reference.registry, reference.repository))
        return {"Authorization": token} if token else {}

    def _log_in(self, reference: Reference, challenge: str) -> None:
        kind, _, rest = challenge.partition(" ")
        fields = dict(_CHALLENGE.findall(rest))
        basic = self._basic(reference)
        if kind.lower() == "bearer" and "realm" in fields:
            token = "Bearer " + self._bearer(reference, fields, basic)
        elif kind.lower() == "basic" and basic:
            token = basic["authorization"]
        else:
            return
        with self._lock:
            self._tokens[reference.registry, reference.repository] = token

    def _basic(self, reference: Reference) -> dict[str, str]:
        """Our login at our registry, the user's own (as ``docker login`` keeps it) at others."""
        access = self._access
        if access is not None and access.token and access.address.partition("/")[0] == reference.registry:
            return dict(urllib3.make_headers(basic_auth=f"{access.username}:{access.token.reveal()}"))
        kept = self._kept_logins.get(_HUB_LOGIN if reference.registry == HUB else reference.registry)
        login = kept.get("auth") if isinstance(kept, dict) else None
        return {"authorization": f"Basic {login}"} if isinstance(login, str) and login else {}

    @cached_property
    def _kept_logins(self) -> dict[str, Any]:
        folder = self._environ.get("DOCKER_CONFIG") or f"{self._environ.get('HOME', '/root')}/.docker"
        try:
            logins = _json(Path(folder, "config.json").read_bytes()).get("auths")
        except OSError:
            return {}
        return logins if isinstance(logins, dict) else {}

    def _bearer(self, reference: Reference, fields: dict[str, str], basic: dict[str, str]) -> str:
        query = {"service": fields.get("service", ""), "scope": self._scope(reference)}
        answer = self._request(reference.registry, "GET", f"{fields['realm']}?{urlencode(query)}", basic)
        if answer.status in (401, 403):
            raise self._refused(reference, bool(basic))
        body = _json(answer.data) if answer.status == 200 else {}
        token = body.get("token") or body.get("access_token")
        if not isinstance(token, str):
            raise IkomaError(
                "registry.odd", registry=reference.registry, status=answer.status, repository=reference.repository
            )
        return token

    def _scope(self, reference: Reference) -> str:
        """What is asked for at a registry that gives tokens."""
        return f"repository:{reference.repository}:pull"

    def _refused(self, reference: Reference, logged_in: bool) -> IkomaError:
        if logged_in and self._access is not None:
            return IkomaError("registry.bad_login", registry=reference.registry, user=self._access.username)
        return IkomaError("registry.denied", registry=reference.registry, what="pull",
                          repository=reference.repository, said="no login")  # fmt: skip

    def _request(self, registry: str, method: str, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._once(method, url, headers)
        except urllib3.exceptions.HTTPError as error:
            if _is_untrusted(error):
                raise IkomaError("registry.untrusted", registry=registry, reason=_tls_reason(error)) from None
            raise IkomaError("registry.unreachable", registry=registry, reason=_reason(error)) from None

    @retry(
        stop=stop_after_attempt(3),
        wait=wait_random_exponential(multiplier=0.2, max=1.0),
        retry=retry_if_exception(_may_pass),
        reraise=True,
    )
    def _once(self, method: str, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        answer = self._pool(url).request(
            method, url, headers=headers, timeout=TIMEOUT, retries=urllib3.Retry(0, redirect=3, raise_on_status=False)
        )
        if answer.status in (429, 500, 502, 503, 504):
            raise _Busy(f"HTTP {answer.status}")
        return answer

    def _pool(self, url: str) -> urllib3.PoolManager:
        parsed = urllib3.util.parse_url(url)
        proxies = getproxies()
        proxy = proxies.get(parsed.scheme or "https", "")
        if proxy and proxy_bypass(parsed.netloc or ""):
            proxy = ""
        with self._lock:
            if proxy not in self._pools:
                tls = ssl.create_default_context(cafile=self._environ.get("SSL_CERT_FILE") or None)
                self._pools[proxy] = (
                    urllib3.ProxyManager(proxy, ssl_context=tls, maxsize=PARALLEL)
                    if proxy
                    else urllib3.PoolManager(ssl_context=tls, maxsize=PARALLEL)
                )
            return self._pools[proxy]


def _tls_reason(error: Exception) -> str:
    match = re.search(r"certificate verify failed: ([^(']+)", str(error))
    return match[1].strip() if match else str(getattr(error, "reason", error))[:200]


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return re.sub(r"^<[^>]*>: |^.*?: Failed to establish a new connection: ", "", str(reason))[:200]


def _json(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
