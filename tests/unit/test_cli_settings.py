"""Where settings come from: flags, then variables, then the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.model.errors import Misuse
from agent.model.names import Target, check_operation
from bridge.pipeline.settings import Flags, Where

CONTRACT = {
    "app": "shop",
    "environments": {
        "production": {"host": "contract.example", "port": 2201, "user": "stated", "host_key": "ssh-ed25519 AAAA"},
        "staging": {"host": "staging.example"},
    },
}
ENV = {"BRIDGE_HOST": "env.example", "BRIDGE_PORT": "2202", "BRIDGE_USER": "fromenv", "BRIDGE_SSH_KEY": "/env/key"}
SHOP = Target("shop")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "ikoma.release.json").write_text(json.dumps(CONTRACT))
    return tmp_path


def test_the_contract_is_enough(repo: Path) -> None:
    where = Where(Flags(repo=repo), {"BRIDGE_SSH_KEY": "/k"})
    address = where.address(where.target)
    assert (address.host, address.port, address.user) == ("contract.example", 2201, "stated")
    assert address.host_key == "ssh-ed25519 AAAA"


def test_variables_win_over_the_contract(repo: Path) -> None:
    address = Where(Flags(repo=repo), ENV).address(SHOP)
    assert (address.host, address.port, address.user) == ("env.example", 2202, "fromenv")


def test_flags_win_over_variables(repo: Path) -> None:
    flags = Flags(repo=repo, host="flag.example", port="2203", user="flagged", key="/flag/key", known_hosts="/kh")
    address = Where(flags, ENV).address(SHOP)
    assert address[:3] == ("flag.example", 2203, "flagged")
    assert address.key.reveal() == "/flag/key"
    assert address.known_hosts == "/kh"


def test_what_the_contract_says_of_one_host_does_not_count_for_another(repo: Path) -> None:
    address = Where(Flags(repo=repo, host="elsewhere.example"), {"BRIDGE_SSH_KEY": "/k"}).address(SHOP)
    assert (address.port, address.user, address.host_key) == (22, "ikoma", "")


def test_another_app_does_not_take_the_contracts_host(repo: Path) -> None:
    where = Where(Flags(repo=repo, app="other"), {"BRIDGE_SSH_KEY": "/k"})
    with pytest.raises(Misuse, match="No host is known"):
        where.address(where.target)


def test_the_environment_chooses_the_host(repo: Path) -> None:
    where = Where(Flags(repo=repo, environment="staging"), {"BRIDGE_SSH_KEY": "/k"})
    assert where.address(where.target).host == "staging.example"
    assert where.target.slug == "shop_staging"


def test_a_folder_of_the_repository_belongs_to_the_contract_around_it(repo: Path) -> None:
    (repo / ".git").mkdir(exist_ok=True)
    (repo / "www/src").mkdir(parents=True)
    where = Where(Flags(repo=repo / "www/src"), {})
    assert (where.repository_target, where.flags.repo) == (Target("shop"), repo.resolve())
    (repo / "www" / "ikoma.release.json").write_text('{"app": "www"}')
    assert Where(Flags(repo=repo / "www/src"), {}).repository_target == Target("www")


def test_a_contract_outside_the_work_tree_is_nobodys(repo: Path) -> None:
    inner = repo / "other"
    (inner / ".git").mkdir(parents=True)
    with pytest.raises(Misuse, match="No app is named"):
        _ = Where(Flags(repo=inner), {}).repository_target


def test_app_alone_is_enough_outside_a_repository(tmp_path: Path) -> None:
    where = Where(Flags(repo=tmp_path, app="shop"), ENV)
    assert where.target == SHOP
    assert where.known_target == SHOP
    assert Where(Flags(repo=tmp_path), ENV).known_target is None


def test_a_command_on_sources_refuses_another_apps_repository(repo: Path) -> None:
    with pytest.raises(Misuse, match="is for shop, not for other"):
        _ = Where(Flags(repo=repo, app="other"), ENV).repository_target


def test_no_key_is_a_misuse_that_says_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Misuse) as refused:
        Where(Flags(repo=tmp_path, app="shop"), {"BRIDGE_HOST": "h"}).address(SHOP)
    assert refused.value.id == "cli.no_key"
    assert "BRIDGE_SSH_KEY" in refused.value.remedy("en")


@pytest.mark.parametrize("port", ["0", "65536", "ssh", "-1", "22 "])
def test_a_port_is_a_port(port: str, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="is no port"):
        Where(Flags(repo=tmp_path, app="shop", host="h", port=port, key="k"), {}).address(SHOP)


@pytest.mark.parametrize(
    ("value", "is_path"),
    [("~/.ssh/known_hosts", True), ("/a folder/known_hosts", True), ("host ssh-ed25519 AAAA", False),
     ("# c\nhost ssh-rsa AAAA\n", False)],
)  # fmt: skip
def test_known_hosts_may_be_a_path_or_the_content(value: str, is_path: bool, tmp_path: Path) -> None:
    where = Where(Flags(repo=tmp_path, app="shop", host="h", key="/k", known_hosts=value), {})
    assert isinstance(where.address(SHOP).destination().known_hosts, Path) is is_path


def test_the_key_itself_in_a_variable_shows_in_no_rendering(tmp_path: Path) -> None:
    where = Where(Flags(repo=tmp_path, app="shop"), {"BRIDGE_HOST": "h", "BRIDGE_SSH_KEY": "-----BEGIN X\nsesame\n"})
    address = where.address(SHOP)
    assert "sesame" not in f"{address!r} {address} {address.destination()!r}"


def test_a_retry_in_actions_is_the_same_operation_and_another_attempt_is_another() -> None:
    run = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "deploy"}
    here = Where(Flags(), run).operation(SHOP, "deploy.apply")
    assert here == Where(Flags(), run).operation(SHOP, "deploy.apply") == check_operation(here)
    others = [
        Where(Flags(), run | {"GITHUB_RUN_ATTEMPT": "2"}).operation(SHOP, "deploy.apply"),
        Where(Flags(), run).operation(Target("shop", "staging"), "deploy.apply"),
        Where(Flags(), run).operation(SHOP, "env.push"),
        Where(Flags(), {}).operation(SHOP, "deploy.apply"),
        Where(Flags(), {}).operation(SHOP, "deploy.apply"),
    ]
    assert len({here, *others}) == 6


def test_the_host_learns_who_asks() -> None:
    env = {"GITHUB_ACTOR": "anna", "GITHUB_REPOSITORY": "shop/shop", "GITHUB_RUN_ID": "7", "GITHUB_SHA": "abc"}
    assert Where(Flags(), env).client() == {
        "actor": "anna", "repository": "shop/shop", "commit": "abc",
        "run": "https://github.com/shop/shop/actions/runs/7",
    }  # fmt: skip
    assert Where(Flags(), {"USER": "anna"}).client() == {"actor": "anna"}


def test_the_registry_comes_from_flag_or_variable_and_its_token_masks_itself() -> None:
    env = {"BRIDGE_REGISTRY": "ghcr.io/env/", "BRIDGE_REGISTRY_USER": "u", "BRIDGE_REGISTRY_TOKEN": "sesame"}
    assert Where(Flags(), env).registry(SHOP).address == "ghcr.io/env"
    assert Where(Flags(registry="ghcr.io/flag"), env).registry(SHOP).address == "ghcr.io/flag"
    assert "sesame" not in repr(Where(Flags(), env).registry(SHOP))
    with pytest.raises(Misuse, match="No registry is named"):
        Where(Flags(), {}).registry(SHOP)
