"""Contexts: what a laptop keeps under a name, where it stands among the sources, and that no secret gets in."""

from pathlib import Path

import pytest

from agent.model.errors import Misuse
from agent.model.names import Target
from bridge.pipeline import contexts
from bridge.pipeline.settings import Flags, Where

SHOP = Target("shop")
PROD = {"host": "prod.example", "key": "/keys/prod", "host_key": "ssh-ed25519 AAAA", "registry": "ghcr.io/us"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"BRIDGE_CONFIG": str(tmp_path / "config")}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return tmp_path


def test_the_first_context_is_used_at_once_and_others_when_told(environ: dict[str, str]) -> None:
    contexts.add(environ, "prod", PROD)
    assert contexts.add(environ, "staging", {"host": "staging.example"}).current == "prod"
    assert contexts.use(environ, "staging").current == "staging"
    assert contexts.remove(environ, "staging").current == ""
    assert list(contexts.load(environ).known) == ["prod"]


def test_the_file_is_for_its_owner_alone(environ: dict[str, str]) -> None:
    contexts.add(environ, "prod", PROD)
    path = contexts.file(environ)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600


def test_options_win_over_variables_and_those_over_the_context(environ: dict[str, str], repo: Path) -> None:
    contexts.add(environ, "prod", PROD | {"user": "context", "port": "2200"})
    typed = Where(Flags(repo=repo, user="typed"), environ | {"BRIDGE_USER": "variable", "BRIDGE_PORT": "2201"})
    address = typed.address(SHOP)
    assert (address.host, address.user, address.port) == ("prod.example", "typed", 2201)
    assert typed.registry(SHOP).address == "ghcr.io/us"
    assert address.key.reveal() == "/keys/prod"


def test_an_address_of_the_context_is_not_mixed_with_another_host(environ: dict[str, str], repo: Path) -> None:
    contexts.add(environ, "prod", PROD | {"user": "context"})
    where = Where(Flags(repo=repo, host="other.example", key="/keys/other"), environ)
    address = where.address(SHOP)
    assert (address.host, address.user, address.host_key) == ("other.example", "ikoma", "")
    assert where.registry(SHOP).address == "ghcr.io/us"


def test_what_to_trust_comes_from_one_source(environ: dict[str, str], repo: Path) -> None:
    contexts.add(environ, "prod", PROD)
    address = Where(Flags(repo=repo), environ | {"BRIDGE_KNOWN_HOSTS": "/some/file"}).address(SHOP)
    assert (address.known_hosts, address.host_key) == ("/some/file", "")


def test_another_context_can_be_asked_for_once(environ: dict[str, str], repo: Path) -> None:
    contexts.add(environ, "prod", PROD)
    contexts.add(environ, "staging", {"host": "staging.example", "key": "k", "environment": "staging"})
    where = Where(Flags(repo=repo, context="staging"), environ)
    assert (where.address(SHOP).host, where.environment) == ("staging.example", "staging")
    assert Where(Flags(repo=repo), environ | {"BRIDGE_CONTEXT": "staging"}).environment == "staging"
    with pytest.raises(Misuse) as caught:
        Where(Flags(repo=repo, context="nowhere"), environ)
    assert caught.value.id == "context.unknown"


@pytest.mark.parametrize(
    ("name", "values", "error"),
    [
        ("prod", {"key": "-----BEGIN OPENSSH PRIVATE KEY-----\nx"}, "context.secret"),
        ("prod", {"registry_token": "ghp_x"}, "context.unknown_setting"),
        ("../prod", {"host": "h"}, "context.name"),
        ("", {"host": "h"}, "context.name"),
    ],
)
def test_what_has_no_place_in_a_context_is_refused(
    environ: dict[str, str], name: str, values: dict[str, str], error: str
) -> None:
    with pytest.raises(Misuse) as caught:
        contexts.add(environ, name, values)
    assert caught.value.id == error
    assert contexts.load(environ).known == {}


def test_a_damaged_file_is_named(environ: dict[str, str]) -> None:
    path = contexts.file(environ)
    assert path is not None
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(Misuse) as caught:
        contexts.load(environ)
    assert str(path) in caught.value.message("en")


def test_without_a_home_there_are_no_contexts() -> None:
    assert contexts.load({}).known == {}
    with pytest.raises(Misuse):
        contexts.add({}, "prod", PROD)
