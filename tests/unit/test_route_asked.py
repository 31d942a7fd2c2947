"""A route is asked where its users are sent: over the secure port on a public host, and by the name that they use."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.host.settings import Settings
from agent.model.contract import Probe
from agent.operations.steps import health
from agent.releases import proxy
from tests.unit.certificates import self_signed

NAME = "shop.example"


@contextmanager
def server(status: int, headers: dict[str, str] | None = None, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Yield the port of a server that gives one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.headers["Host"] == NAME else 421)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        made.socket = context.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made.server_port
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture
def secure(tmp_path: Path) -> ssl.SSLContext:
    """Return a context that has a certificate of one name, and of no other."""
    certificate, key = self_signed(tmp_path, NAME)
    named, nameless = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
    named.load_cert_chain(certificate, key)

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        connection.context = named
        return None if name == NAME else ssl.ALERT_DESCRIPTION_INTERNAL_ERROR

    nameless.sni_callback = choose
    return nameless


def asked(plain: int, tls: int, host: str = NAME, probe: Probe | None = None) -> proxy.Trouble | None:
    settings = Settings(public_tls=bool(tls), http_port=plain, https_port=tls or 1)
    return proxy.answers(settings, host, "/", 0.3, lambda status: health.fine(probe, status))


@pytest.mark.parametrize(("status", "said"), [(200, None), (404, None), (502, "HTTP 502")])
def test_on_a_public_host_the_redirection_proves_nothing(status: int, said: str | None, secure: ssl.SSLContext) -> None:
    with server(308) as plain, server(status, context=secure) as tls:
        trouble = asked(plain, tls)
        assert (trouble and trouble.said) == said
        assert asked(plain, 0) is None  # the insecure port would have passed for it


def test_a_name_without_a_certificate_is_told_apart_from_an_app_that_does_not_answer(secure: ssl.SSLContext) -> None:
    with server(308) as plain, server(200, context=secure) as tls:
        trouble = asked(plain, tls, host="new.example")
    assert trouble is not None
    assert trouble.certificate
    with server(200) as plain:
        trouble = asked(plain, 1)  # nobody listens there
    assert trouble is not None
    assert not trouble.certificate


def test_a_name_that_the_proxy_does_not_know_is_no_answer_of_the_app() -> None:
    with server(404, {proxy.NO_ROUTE: "none"}) as plain:
        assert asked(plain, 0) == proxy.Trouble("HTTP 404")
    assert f"header {proxy.NO_ROUTE} none" in proxy.main_file(Settings())


def test_a_probe_holds_for_the_route_if_it_asks_the_same_port() -> None:
    probe = Probe(path="/health", status=204)
    assert health.asked(probe, 3000) == probe
    assert health.asked(Probe(port=9000), 3000) is None
    with server(500) as plain:
        assert asked(plain, 0) is None
        assert asked(plain, 0, probe=probe) == proxy.Trouble("HTTP 500")
    assert [health.fine(probe, status) for status in (204, 301, 200)] == [True, True, False]
