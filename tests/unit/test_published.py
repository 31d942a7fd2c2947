"""A release that CI published for a commit: pushed by one side, found by the other, in a registry with tokens."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from agent.model.errors import IkomaError, Misuse
from agent.model.names import Target
from agent.model.secret import Secret
from agent.releases import published
from agent.releases.published import Registry
from agent.releases.source import check_ref
from bridge.images.artifact import Keeper, Publisher

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SUITE = Target("suite")


@dataclass
class Double:
    """A registry that keeps blobs and manifests in memory and wants a token for every request."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    address: str = ""
    written: int = 0


class Handler(BaseHTTPRequestHandler):
    double: Double

    def log_message(self, *_words: object) -> None:
        """Says nothing."""

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refused(self) -> bool:
        wanted = "push" if self.command in ("PUT", "POST") else "pull"
        if wanted in self.headers.get("Authorization", "").removeprefix("Bearer ").split("+"):
            return False
        realm = f'Bearer realm="http://{self.double.address}/token",service="double",scope="repository:a/suite/release:pull"'
        self.reply(401, WWW_Authenticate=realm)
        return True

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/token":
            good = self.headers.get("Authorization") == "Basic cmVhZGVyOmZ1bm55LXRva2Vu"
            token = query["scope"][0].rpartition(":")[2].replace(",", "+")
            return self.reply(200 if good else 401, json.dumps({"token": token}).encode())
        if self.refused():
            return None
        name = path.rpartition("/")[2]
        body = self.double.blobs.get(name, self.double.manifests.get(name))
        if body is None:
            return self.reply(200 if path == "/v2/" else 404)
        return self.reply(200, body, Docker_Content_Digest="sha256:" + hashlib.sha256(body).hexdigest())

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if not self.refused():
            self.reply(202, Location=f"http://{self.double.address}/upload?state=1")

    def do_PUT(self) -> None:
        if self.refused():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        self.double.written += 1
        if parts.path == "/upload":
            self.double.blobs[parse_qs(parts.query)["digest"][0]] = body
        else:
            self.double.manifests[parts.path.rpartition("/")[2]] = body
        self.reply(201)


@pytest.fixture
def double() -> Iterator[Double]:
    made = Double()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"double": made}))
    made.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Access:
    address: str
    username: str = "reader"
    token: Secret = field(default_factory=lambda: Secret("funny-token"))


def publish(double: Double, bundle: bytes) -> None:
    access = Access(f"{double.address}/a")
    Publisher(access, {}).publish(access.address, SUITE, COMMIT, bundle)


def registry(double: Double, token: str = "funny-token") -> Registry:
    return Registry(f"{double.address}/a", "reader", Secret(token))


def test_what_was_published_is_found_by_environment_and_commit(double: Double) -> None:
    publish(double, b"a bundle")
    assert published.fetch(registry(double), SUITE, COMMIT) == b"a bundle"
    assert list(double.manifests) == [f"production-{COMMIT}"]


def keeper(double: Double) -> Keeper:
    """Return a client on the bridge's side."""
    return Keeper(Access(f"{double.address}/a"), {})


def test_the_bridge_finds_it_as_well(double: Double) -> None:
    publish(double, b"a bundle")
    assert keeper(double).fetch(f"{double.address}/a", SUITE, COMMIT) == b"a bundle"
    with pytest.raises(IkomaError, match="no release of suite"):
        keeper(double).fetch(f"{double.address}/a", SUITE, "f" * 40)


@pytest.mark.parametrize("spoiled", ["blob", "manifest", "two", "large"])
def test_the_bridge_takes_nothing_that_is_not_what_its_manifest_says(double: Double, spoiled: str) -> None:
    publish(double, b"a bundle")
    (tag,) = double.manifests
    manifest = json.loads(double.manifests[tag])
    if spoiled == "blob":
        double.blobs[manifest["layers"][0]["digest"]] = b"a BUNDLE"
    elif spoiled == "two":
        manifest["layers"] *= 2
    elif spoiled == "large":
        manifest["layers"][0]["size"] = 2**40
    double.manifests[tag] = b"[]" if spoiled == "manifest" else json.dumps(manifest).encode()
    with pytest.raises(IkomaError) as caught:
        keeper(double).fetch(f"{double.address}/a", SUITE, COMMIT)
    assert caught.value.id == "registry.odd"


def test_publishing_the_same_again_writes_nothing(double: Double) -> None:
    publish(double, b"a bundle")
    before = double.written
    publish(double, b"a bundle")
    assert double.written == before
    publish(double, b"another bundle")
    assert published.fetch(registry(double), SUITE, COMMIT) == b"another bundle"


def test_a_commit_that_nobody_built_is_named(double: Double) -> None:
    with pytest.raises(IkomaError) as caught:
        published.fetch(registry(double), Target("suite", "staging"), COMMIT)
    assert caught.value.id == "source.not_published"
    assert COMMIT[:12] in caught.value.message("en")


def test_an_altered_release_is_refused(double: Double) -> None:
    publish(double, b"a bundle")
    (name,) = [name for name, blob in double.blobs.items() if blob == b"a bundle"]
    double.blobs[name] = b"a BUNDLE"
    with pytest.raises(IkomaError, match="not what its digest says"):
        published.fetch(registry(double), SUITE, COMMIT)


def test_a_wrong_login_is_said_and_not_shown(double: Double) -> None:
    publish(double, b"a bundle")
    with pytest.raises(IkomaError) as caught:
        published.fetch(registry(double, "wrong-secret"), SUITE, COMMIT)
    assert caught.value.id == "source.registry"
    assert "wrong-secret" not in str(caught.value)


def test_a_registry_cannot_send_the_login_over_plain_http_to_elsewhere(double: Double) -> None:
    publish(double, b"a bundle")
    there = registry(double)
    double.address = "192.0.2.1:80"  # from here on it names another place for tokens
    with pytest.raises(IkomaError, match="no way to ask"):
        published.fetch(there, SUITE, COMMIT)


@pytest.mark.parametrize("ref", ["-x", "--upload-pack=id", "a..b", "a b", "", "x" * 201, "a;id", "refs//heads", "end/"])
def test_what_is_no_ref_never_reaches_git(ref: str) -> None:
    with pytest.raises(Misuse):
        check_ref(ref)


@pytest.mark.parametrize("ref", ["main", "v1.2.3", "release/2026-01", COMMIT, "feature/x_y.z"])
def test_branches_tags_and_commits_are_refs(ref: str) -> None:
    assert check_ref(ref) == ref
