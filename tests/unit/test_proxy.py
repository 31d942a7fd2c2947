"""What is written for the reverse proxy, and what is read of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.docker.engine import Engine
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import IkomaError, Misuse
from agent.model.names import Target
from agent.model.release import parse
from agent.releases import images, precheck, proxy
from agent.releases.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(Target("shop", "staging"), Paths(tmp_path), Settings(public_tls=False))


def test_an_upstream_is_a_name_that_only_the_agent_gives(site: Site) -> None:
    text = proxy.route_file(site, {"shop.example": "web:3000"})
    assert "reverse_proxy web.shop_staging.live:3000 {" in text
    assert "http://shop.example, https://shop.example {" in text
    assert "tls internal" in text


def test_a_closed_app_answers_that_it_comes_back(site: Site) -> None:
    text = proxy.closed_file(site, {"shop.example": "web:3000", "api.shop.example": "api:4000"})
    assert text.count("header Retry-After 30") == text.count(" 503\n") == 2
    assert "reverse_proxy" not in text
    assert proxy.closed_file(site, {}) == ""


def test_a_public_host_name_gets_a_public_certificate(site: Site) -> None:
    public = replace(site, settings=Settings(public_tls=True))
    text = proxy.route_file(public, {"shop.example": "web:3000"})
    assert text.startswith("shop.example {")
    assert "tls internal" not in text


@pytest.mark.parametrize(
    "routes",
    [
        {"shop.example": "web:80\n}\nhttp://bank.example {\n reverse_proxy web:80"},
        {"x.example {\n respond yes\n}\nhttp://bank.example": "web:80"},
        {"SHOP.example": "web:80"},
        {"*.example": "web:80"},
        {"shop.example": "web.bank.live:80 x:80"},
    ],
)
def test_a_manifest_made_by_hand_writes_nothing_else_into_the_proxys_file(routes: dict[str, str]) -> None:
    made = {"app": "shop", "environment": "production", "platform": "linux/amd64", "services": {},
            "compose": {"services": {}}}  # fmt: skip
    assert parse(made).routes == {}
    with pytest.raises(Misuse, match="routes"):
        parse(made | {"routes": routes})


def test_no_routes_are_no_file(site: Site) -> None:
    assert proxy.route_file(site, {}) == ""


def test_host_names_are_read_back_from_a_file_of_routes(site: Site) -> None:
    text = proxy.route_file(site, {"a.example": "web:1", "b.example": "web:2"})
    assert precheck.hosts(text) == {"a.example", "b.example"}


def test_listening_ports_are_read_from_the_kernels_table(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st\n"
        "   0: 00000000:0050 00000000:0000 0A\n"
        "   1: 0100007F:1F90 0100007F:8000 01\n"
    )
    assert precheck.listening(table) == [80]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("unauthorized: authentication required", "image.denied"),
        ("denied: permission_denied: read_package", "image.denied"),
        ("manifest unknown", "image.missing"),
        ("write /var/lib/docker/tmp: no space left on device", "image.disk_full"),
        ("no match for platform in manifest", "image.platform"),
        ("x509: certificate signed by unknown authority", "image.untrusted"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", "image.unreachable"),
        ("dial tcp: lookup ghcr.io: i/o timeout", "image.unreachable"),
    ],
)
def test_a_failed_pull_is_explained(said: str, error: str) -> None:
    assert images.explain("ghcr.io/shop/web@sha256:0", said).id == error


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("ghcr.io/shop/web@sha256:0", "ghcr.io"),
        ("localhost/web@sha256:0", "localhost"),
        ("127.0.0.1:5000/web@sha256:0", "127.0.0.1:5000"),
        ("library/postgres@sha256:0", "docker.io"),
        ("postgres@sha256:0", "docker.io"),
    ],
)
def test_credentials_are_shown_to_their_own_registry_alone(reference: str, registry: str) -> None:
    from agent.protocol import Credentials

    assert images.registry_of(reference) == registry
    assert images.auth_for(reference, Credentials(registry, "u", "p")) is not None
    assert images.auth_for(reference, Credentials("evil.example", "u", "p")) is None
    assert images.auth_for(reference, None) is None


@pytest.mark.parametrize("running", [True, False])
def test_a_container_of_somebody_else_under_the_proxys_name_is_neither_used_nor_removed(
    site: Site, monkeypatch: pytest.MonkeyPatch, running: bool
) -> None:
    touched: list[str] = []
    theirs = {"Config": {"Labels": {"theirs": "1"}}, "State": {"Running": running}}
    monkeypatch.setattr(Engine, "container", lambda _engine, _name: theirs)
    monkeypatch.setattr(
        Engine, "call", lambda _engine, method, path, *_more, **_less: touched.append(f"{method} {path}")
    )
    with pytest.raises(IkomaError, match="did not make"):
        proxy.ensure(site)
    assert touched == []
