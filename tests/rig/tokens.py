"""A token server in the shape of ghcr.io's: Basic credentials in, a signed bearer token for a scope out.

Runs inside the registry's box with the box's own Python; ``/etc/rig/users.json`` maps a user to its secret
and to what it may do. POST is answered 404, as clients expect that then fall back to GET.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

FOLDER = Path("/etc/rig")
PORT = 5001
LIFETIME_S = 300


class Access(TypedDict):
    """What a token lets its holder do with one repository."""

    type: str
    name: str
    actions: list[str]


def b64(raw: bytes) -> str:
    """Base64 for JSON web tokens: URL-safe, unpadded."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def asked(scopes: list[str]) -> list[Access]:
    """The ``type:name:actions`` scopes of a request, as a token states them."""
    access = []
    for scope in " ".join(scopes).split():
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        access.append(Access(type=kind, name=name, actions=actions.split(",")))
    return access


def is_allowed(access: list[Access], allowed: list[str]) -> bool:
    """Whether a user with the actions ``allowed`` may have all that was asked: ghcr.io gives all or nothing."""
    return all(action in allowed for each in access for action in each["actions"])


def signed(claims: dict[str, object]) -> str:
    """A JSON web token over ``claims`` that carries its own certificate."""
    key = serialization.load_pem_private_key((FOLDER / "token.key").read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SystemExit("the token key is not an RSA key")
    certificate = x509.load_pem_x509_certificate((FOLDER / "token.crt").read_bytes())
    der = certificate.public_bytes(serialization.Encoding.DER)
    header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    body = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{body}.{b64(key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def users() -> dict[str, Any]:
    """User → secret and allowed actions."""
    known: dict[str, Any] = json.loads((FOLDER / "users.json").read_text())
    return known


def token(user: str, service: str, access: list[Access]) -> dict[str, object]:
    """The answer that hands a token out."""
    now = int(time.time())
    claims = {
        "iss": "rig",
        "sub": user,
        "aud": service,
        "iat": now,
        "nbf": now - 10,
        "exp": now + LIFETIME_S,
        "jti": secrets.token_hex(8),
        "access": access,
    }
    issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    return {"token": signed(claims), "expires_in": LIFETIME_S, "issued_at": issued}


class Tokens(BaseHTTPRequestHandler):
    """GET /token?service=…&scope=repository:NAME:pull,push"""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request for a token, or refuse it."""
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        access = asked(query.get("scope", []))
        user = self._user()
        if url.path != "/token":
            self._answer(404, {"errors": [{"code": "NOT_FOUND"}]})
        elif user is None:
            self._answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})
        elif not is_allowed(access, users()[user]["actions"]):
            self._answer(403, {"errors": [{"code": "DENIED", "message": "requested access is denied"}]})
        else:
            self._answer(200, token(user, query.get("service", [""])[0], access))

    def do_POST(self) -> None:
        """The OAuth way of asking is not offered, as ghcr.io does not offer it."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(404, {"errors": [{"code": "UNSUPPORTED"}]})

    def _user(self) -> str | None:
        kind, _, encoded = (self.headers.get("Authorization") or "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = users().get(name)
        return name if known and hmac.compare_digest(known["secret"].encode(), secret.encode()) else None

    def _answer(self, status: int, body: dict[str, object]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def main() -> None:
    """Serve until killed."""
    server = ThreadingHTTPServer(("0.0.0.0", PORT), Tokens)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(FOLDER / "server.crt", FOLDER / "server.key")
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
