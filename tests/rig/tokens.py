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
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

FOLDER = Path("/etc/rig")
PORT = 5001
LIFETIME_S = 300


def b64(raw: bytes) -> str:
    """Base64 for JSON web tokens: URL-safe, unpadded."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def granted(scopes: list[str], allowed: list[str]) -> list[dict[str, object]]:
    """The part of the asked ``type:name:actions`` scopes that the user may have."""
    access: list[dict[str, object]] = []
    for scope in " ".join(scopes).split():
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        access.append({"type": kind, "name": name, "actions": [each for each in actions.split(",") if each in allowed]})
    return access


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


class Tokens(BaseHTTPRequestHandler):
    """GET /token?service=…&scope=repository:NAME:pull,push"""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a request for a token, or refuse it."""
        asked = urlsplit(self.path)
        user = self._user()
        if asked.path != "/token":
            self._answer(404, {"errors": [{"code": "NOT_FOUND"}]})
        elif user is None:
            self._answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})
        else:
            query = parse_qs(asked.query)
            self._answer(200, self._token(user, query.get("service", [""])[0], query.get("scope", [])))

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
        known = json.loads((FOLDER / "users.json").read_text()).get(name)
        return name if known and hmac.compare_digest(known["secret"].encode(), secret.encode()) else None

    def _token(self, user: str, service: str, scopes: list[str]) -> dict[str, object]:
        allowed = json.loads((FOLDER / "users.json").read_text())[user]["actions"]
        now = int(time.time())
        claims = {
            "iss": "rig",
            "sub": user,
            "aud": service,
            "iat": now,
            "nbf": now - 10,
            "exp": now + LIFETIME_S,
            "jti": secrets.token_hex(8),
            "access": granted(scopes, allowed),
        }
        issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        return {"token": signed(claims), "expires_in": LIFETIME_S, "issued_at": issued}

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
