"""The registry client, against a registry on the loopback that asks for tokens as ghcr.io does."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from agent.model.errors import IkomaError, Misuse
from agent.model.secret import Secret
from bridge.images import names
from bridge.images.registry import ACCEPT, Client
from tests.unit.certificates import self_signed

DIGEST = "sha256:" + "c" * 64
TOKEN = "p@ss w%rd'\""


@dataclass(frozen=True)
class Login:
    address: str
    username: str = "user"
    token: Secret = field(default_factory=lambda: Secret(TOKEN))


@dataclass
class Registry:
    """What the double was asked, and how it behaves."""

    server: ThreadingHTTPServer
    scheme: str = "bearer"
    asked: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    busy: int = 0
    forbidden: bool = False
    tells_digest: bool = True
    images: dict[str, str] = field(default_factory=lambda: {"acme/web:1": DIGEST})

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def do_HEAD(self) -> None:
        self._manifest(body=b"")

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self._token()
        else:
            self._manifest(body=b"{}")

    def _token(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.registry.asked.append("token " + query["scope"][0])
        login = self.headers.get("Authorization", "")
        if login and login != self._basic():
            self._answer(401)
        else:
            self._answer(200, b'{"token": "signed"}')

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"user:{TOKEN}".encode()).decode()

    def _manifest(self, body: bytes) -> None:
        registry = self.registry
        registry.asked.append(f"{self.command} {self.path}")
        registry.accepted.append(self.headers.get("Accept", ""))
        expected = "Bearer signed" if registry.scheme == "bearer" else self._basic()
        name = self.path.removeprefix("/v2/").replace("/manifests/", ":")
        if registry.busy:
            registry.busy -= 1
            self._answer(503)
        elif self.headers.get("Authorization") != expected:
            realm = f'realm="http://{registry.address}/token",service="double"'
            challenge = f"Bearer {realm}" if registry.scheme == "bearer" else 'Basic realm="double"'
            self._answer(401, headers={"WWW-Authenticate": challenge})
        elif registry.forbidden:
            self._answer(403)
        elif name in registry.images:
            told = {"Docker-Content-Digest": registry.images[name]} if registry.tells_digest else {}
            self._answer(200, body, told)
        else:
            self._answer(404)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {}))
    double = Registry(server)
    server.RequestHandlerClass.registry = double  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield double
    server.shutdown()
    server.server_close()
    thread.join()


def image(registry: Registry, name: str = "acme/web:1") -> names.Reference:
    return names.parse(f"{registry.address}/{name}")


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_a_digest_is_found_after_logging_in(registry: Registry, scheme: str) -> None:
    registry.scheme = scheme
    assert Client(Login(f"{registry.address}/acme")).digest(image(registry)) == DIGEST
    assert set(registry.accepted) == {ACCEPT}
    assert ACCEPT.count("application/") == 4


def test_a_token_is_asked_once_a_repository(registry: Registry) -> None:
    client = Client(Login(registry.address))
    for _ in range(3):
        client.digest(image(registry))
    assert registry.asked.count("token repository:acme/web:pull") == 1
    assert len(registry.asked) == 1 + 1 + 3  # refused, token, three answers


def test_after_preparing_each_answer_takes_one_round_trip(registry: Registry) -> None:
    client = Client(Login(registry.address))
    client.prepare([image(registry, f"acme/{name}:1") for name in ("web", "api")])
    registry.asked.clear()
    assert client.digest(image(registry)) == DIGEST
    assert client.digest(image(registry, "acme/api:1")) is None
    assert registry.asked == ["HEAD /v2/acme/web/manifests/1", "HEAD /v2/acme/api/manifests/1"]


def test_preparing_in_vain_is_no_error(registry: Registry) -> None:
    Client(Login(registry.address, token=Secret("wrong"))).prepare([image(registry)])
    Client().prepare([names.parse("127.0.0.1:1/acme/web:1")])


def test_an_image_that_is_not_there_is_no_error(registry: Registry) -> None:
    client = Client(Login(registry.address))
    assert client.digest(image(registry, "acme/web:2")) is None
    with pytest.raises(IkomaError) as caught:
        client.resolve(image(registry, "acme/web:2"))
    assert caught.value.id == "registry.unknown"


def test_many_are_asked_at_once(registry: Registry) -> None:
    references = [image(registry, f"acme/web:{number}") for number in range(20)]
    found = Client(Login(registry.address)).digests(references)
    assert found == {reference: DIGEST if reference.tag == "1" else None for reference in references}


def test_a_pinned_image_is_not_asked_for(registry: Registry) -> None:
    pinned = names.parse(f"{registry.address}/acme/web:1@{DIGEST}")
    assert Client(Login(registry.address)).resolve(pinned) == DIGEST
    assert registry.asked == []


def test_a_registry_that_does_not_tell_the_digest_is_asked_for_the_manifest(registry: Registry) -> None:
    registry.tells_digest = False
    found = Client(Login(registry.address)).digest(image(registry))
    assert found == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}


def test_a_busy_registry_is_asked_again(registry: Registry) -> None:
    registry.busy = 2
    assert Client(Login(registry.address)).digest(image(registry)) == DIGEST


def fault(client: Client, reference: names.Reference) -> IkomaError:
    with pytest.raises(IkomaError) as caught:
        client.digest(reference)
    text = caught.value.message("en") + caught.value.remedy("en") + repr(caught.value.to_json())
    assert TOKEN not in text
    assert base64.b64encode(TOKEN.encode()).decode() not in text
    return caught.value


def test_a_wrong_token_is_told_with_the_user_and_without_the_token(registry: Registry) -> None:
    error = fault(Client(Login(registry.address, token=Secret("wrong-" + TOKEN))), image(registry))
    assert error.id == "registry.bad_login"
    assert error.params["user"] == "user"
    assert "BRIDGE_REGISTRY_TOKEN" in error.remedy("en")


def test_a_right_token_without_the_right_to_read_is_denied(registry: Registry) -> None:
    registry.forbidden = True
    assert fault(Client(Login(registry.address)), image(registry)).id == "registry.denied"


def test_a_login_is_shown_to_its_own_registry_alone(registry: Registry, tmp_path: Path) -> None:
    registry.scheme = "basic"
    elsewhere = Client(Login("ghcr.io/acme"), {"HOME": str(tmp_path)})
    assert fault(elsewhere, image(registry)).id == "registry.denied"


def test_the_users_own_login_serves_the_registries_of_others(registry: Registry, tmp_path: Path) -> None:
    kept = {"auths": {registry.address: {"auth": base64.b64encode(f"user:{TOKEN}".encode()).decode()}}}
    (tmp_path / "config.json").write_text(json.dumps(kept))
    client = Client(Login("ghcr.io/acme"), {"DOCKER_CONFIG": str(tmp_path)})
    assert client.digest(image(registry)) == DIGEST


def test_a_registry_that_does_not_answer_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    error = fault(Client(Login(address)), names.parse(f"{address}/acme/web:1"))
    assert error.id == "registry.unreachable"
    assert address in error.message("en")
    assert "refused" in error.message("en").lower()


def test_a_certificate_of_an_unknown_authority_is_told_with_the_way_out(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "localhost.localdomain")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        client = Client()
        with pytest.raises(IkomaError) as caught:
            client._request("reg.example", "GET", f"https://127.0.0.1:{server.server_address[1]}/v2/", {})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert caught.value.id == "registry.untrusted"
    assert "SSL_CERT_FILE" in caught.value.remedy("en")


def test_a_token_without_a_user_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(Misuse) as caught:
        Client(Login("ghcr.io/acme", username=""))
    assert caught.value.id == "registry.half_login"


PARSED = [
    ("redis", "docker.io/library/redis:latest", "registry-1.docker.io"),
    ("redis:7", "docker.io/library/redis:7", "registry-1.docker.io"),
    ("grafana/loki", "docker.io/grafana/loki:latest", "registry-1.docker.io"),
    ("index.docker.io/library/redis", "docker.io/library/redis:latest", "registry-1.docker.io"),
    ("ghcr.io/acme/web:1", "ghcr.io/acme/web:1", "ghcr.io"),
    ("localhost/web", "localhost/web:latest", "localhost"),
    ("10.0.0.1:5000/a/b/c:x", "10.0.0.1:5000/a/b/c:x", "10.0.0.1:5000"),
    (f"redis@{DIGEST}", "docker.io/library/redis", "registry-1.docker.io"),
]


@pytest.mark.parametrize(("text", "full", "api"), PARSED)
def test_a_short_name_is_completed_as_docker_does(text: str, full: str, api: str) -> None:
    reference = names.parse(text)
    assert (reference.tagged, reference.api) == (full, api)
    assert names.parse(reference.pinned(DIGEST)).digest == DIGEST


@pytest.mark.parametrize("text", ["", "UPPER/case", "a b", "x:", "ghcr.io/", "a@sha256:short", "-x"])
def test_a_bad_image_name_is_refused(text: str) -> None:
    with pytest.raises(Misuse) as caught:
        names.parse(text)
    assert caught.value.id == "build.image_name"


def test_our_images_are_named_after_app_and_service_in_lower_case() -> None:
    assert names.ours("ghcr.io/Acme/", "shop", "Web", "in-0").tagged == "ghcr.io/acme/shop/web:in-0"
    assert names.ours("10.0.0.1:5000", "shop", "web", "in-0").name == "10.0.0.1:5000/shop/web"
