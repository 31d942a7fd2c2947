"""From the manifest to the compose file of a host."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from agent.model.names import fingerprint
from agent.model.release import MountedFile, Release, parse
from agent.releases import render
from agent.releases.prepare import definition

IMAGE = "registry.example/shop/web@sha256:" + "0" * 64
A, B = (hashlib.sha256(text.encode()).hexdigest() for text in ("a", "b"))


def release(service: dict[str, Any], *, tag: str = "", kind: Any = "routed", **more: Any) -> Release:
    files = [MountedFile(path="conf/a.conf", sha256=A), MountedFile(path="conf/b.conf", sha256=B, executable=True)]
    return Release(
        app="shop",
        environment="production",
        platform="linux/amd64",
        compose={"services": {"web": {"image": IMAGE, **service}}, **more},
        services={"web": {"image": IMAGE, "tag": tag, "kind": kind}},
        files=files,
    )


def web(made: Release, **more: Any) -> dict[str, Any]:
    service: dict[str, Any] = render.compose_file(made, "shop", **more)["services"]["web"]
    return service


def test_an_image_of_ours_learns_its_content_tag_and_values_stay_names() -> None:
    service = web(release({"environment": ["SECRET=${SECRET}"]}, tag="in-0123456789abcdef"))
    assert service["environment"] == {"SECRET": "${SECRET}", "IKOMA_IMAGE_TAG": "in-0123456789abcdef"}


def test_no_release_id_enters_a_container() -> None:
    made = release({})
    assert made.id not in str(render.compose_file(made, "shop", {}, {"web": "h"}))


@pytest.mark.parametrize(
    ("kind", "restart"), [("routed", "unless-stopped"), ("worker", "unless-stopped"), ("one-shot", None)]
)
def test_what_runs_for_long_is_restarted_by_the_engine(kind: str, restart: str | None) -> None:
    assert web(release({}, kind=kind)).get("restart") == restart


def test_a_restart_policy_that_is_declared_stays() -> None:
    assert web(release({"restart": "no"}))["restart"] == "no"


def keeping(made: Release, **logs: Any) -> Release:
    return Release.model_validate({**made.model_dump(), "retention": {"logs": logs}})


def test_a_release_that_states_no_log_policy_is_rendered_and_named_as_before_there_was_one() -> None:
    stored = {
        "release": "r-bfc56d6c7765", "format": 1, "app": "shop", "environment": "production",
        "platform": "linux/amd64", "compose": {"services": {"web": {"image": IMAGE}}},
        "services": {"web": {"image": IMAGE, "kind": "routed"}}, "retention": {"releases": 10},
    }  # fmt: skip
    made = parse(stored)
    assert web(made)["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
    assert fingerprint(render.compose_file(made, "shop")).startswith("40a1efbeb7df743f")
    assert made.to_json() == stored, "and an older agent can read it"


def test_the_contracts_default_said_in_full_changes_neither_name_nor_containers() -> None:
    made, said = release({}), keeping(release({}), max_size="10m", files=3)
    assert said.id == made.id
    assert render.compose_file(said, "shop") == render.compose_file(made, "shop")


def test_another_log_policy_is_another_release_with_other_containers() -> None:
    made = release({})
    kept = keeping(made, max_size="512k", files=9)
    assert kept.id != made.id
    assert parse(kept.to_json()) == kept
    assert web(kept)["logging"] == {"driver": "json-file", "options": {"max-size": "512k", "max-file": "9"}}


@pytest.mark.parametrize("own", [{"driver": "local"}, {"driver": "json-file", "options": {"max-size": "1m"}}])
def test_a_service_that_says_how_it_logs_is_left_alone(own: dict[str, Any]) -> None:
    assert web(keeping(release({"logging": own}), max_size="1g"))["logging"] == own


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("./conf/a.conf", f"./files/{A}"),
        ("conf/b.conf", f"./files/{B}-x"),
        ("./uploads", "./data/uploads"),
        ("./conf/../uploads/x", "./data/uploads/x"),
        ("../outside", "../outside"),
        ("/etc/shadow", "/etc/shadow"),
        ("./agent.env", "./data/agent.env"),
    ],
)
def test_a_mounted_path_lies_in_the_targets_own_folders_or_is_left_for_the_policy(source: str, place: str) -> None:
    long = web(release({"volumes": [{"type": "bind", "source": source, "target": "/x"}]}))["volumes"]
    only_read = {"read_only": True} if place.startswith("./files/") else {}
    assert long == [{"type": "bind", "source": place, "target": "/x"} | only_read]


@pytest.mark.parametrize("written", ["./conf:/c", "./conf:/c:rw", "./conf:/c:ro", "./conf:/c:rw,z"])
def test_a_container_may_not_write_to_what_the_release_brings(written: str) -> None:
    (volume,) = web(release({"volumes": [written]}))["volumes"]
    assert volume.partition(":/c:")[2] in ("ro", "z,ro")


def test_a_mounted_folder_is_named_by_what_is_in_it() -> None:
    (volume,) = web(release({"volumes": ["./conf:/etc/conf:ro"]}))["volumes"]
    assert volume.startswith("./files/tree-")
    assert volume.endswith(":/etc/conf:ro")


def test_named_volumes_stay() -> None:
    assert web(release({"volumes": ["data:/data"]}))["volumes"] == ["data:/data"]


def test_mounted_files_lie_where_the_compose_file_says(tmp_path: Path) -> None:
    made = release({"volumes": ["./conf:/etc/conf:ro", "./conf/a.conf:/a"]})
    source, files = tmp_path / "bundle", tmp_path / "files"
    (source / "files").mkdir(parents=True)
    (source / "files" / A).write_text("a")
    (source / "files" / B).write_text("b")
    render.materialise(made, source, files)
    render.materialise(made, source, files)
    folder, single = (item.split(":")[0].removeprefix("./files/") for item in web(made)["volumes"])
    assert (files / single).read_text() == "a"
    assert (files / folder / "b.conf").read_text() == "b"
    assert (files / folder / "b.conf").stat().st_mode & 0o777 == 0o755


def test_a_mounted_file_that_somebody_altered_on_the_host_is_put_there_again(tmp_path: Path) -> None:
    made = release({"volumes": ["./conf:/etc/conf:ro"]})
    source, files = tmp_path / "bundle", tmp_path / "files"
    (source / "files").mkdir(parents=True)
    (source / "files" / A).write_text("a")
    (source / "files" / B).write_text("b")
    render.materialise(made, source, files)
    altered = next(path for path in files.rglob("a.conf"))
    altered.write_text("something else")
    linked = next(path for path in files.rglob("b.conf"))
    linked.unlink()
    linked.symlink_to(source / "files" / B)
    render.materialise(made, source, files)
    assert (altered.read_text(), linked.read_text(), linked.is_symlink()) == ("a", "b", False)


@pytest.mark.parametrize("declared", ["app.env", ["./app.env"], [{"path": ".env", "required": False}]])
def test_the_targets_values_stand_in_for_the_repositorys_env_file(declared: Any) -> None:
    assert web(release({"env_file": declared}))["env_file"] == ["app.env"]


def test_an_optional_env_file_that_the_release_does_not_bring_is_left_out() -> None:
    optional = {"path": "./local.env", "required": False}
    assert web(release({"env_file": ["conf/a.conf", optional]}))["env_file"] == [f"./files/{A}"]


@pytest.mark.parametrize("key", ["container_name", "hostname"])
def test_a_fixed_name_becomes_an_alias(key: str) -> None:
    service = web(release({key: "shop-web"}))
    assert key not in service
    assert service["networks"] == {"default": {"aliases": ["shop-web"]}}


@pytest.mark.parametrize("service", [{"hostname": "web"}, {"hostname": "alone", "network_mode": "none"}])
def test_a_fixed_name_that_says_nothing_new_is_no_alias(service: dict[str, Any]) -> None:
    assert "networks" not in web(release(service))


def test_a_service_that_never_stands_beside_its_successor_keeps_its_host_name() -> None:
    assert web(release({"hostname": "mailer"}, kind="worker"))["hostname"] == "mailer"


def test_labels_tell_whose_container_it_is() -> None:
    labels = web(release({"labels": ["a=b"]}), hashes={"web": "h"})["labels"]
    assert labels == {
        "a": "b", "ikoma.hash": "h", "ikoma.target": "shop", "ikoma.app": "shop", "ikoma.environment": "production",
    }  # fmt: skip


def test_networks_without_addresses_get_a_subnet_of_which_the_engine_uses_the_upper_half() -> None:
    made = release({}, networks={"back": {}, "own": {"ipam": {"config": [{"subnet": "10.9.0.0/24"}]}}})
    assert render.networks_of(made.compose) == ["back", "default"]
    networks = render.compose_file(made, "shop", {"default": "10.213.0.0/24", "back": "10.213.1.0/24"})["networks"]
    assert networks["back"]["ipam"]["config"] == [{"subnet": "10.213.1.0/24", "ip_range": "10.213.1.128/25"}]
    assert networks["own"]["ipam"]["config"] == [{"subnet": "10.9.0.0/24"}]


def normalised(**service: Any) -> dict[str, Any]:
    return {
        "services": {"web": service, "api": {"image": "x"}},
        "volumes": {"data": {"name": "shop_data"}, "other": {}},
    }


def test_a_service_is_defined_by_its_own_definition_alone() -> None:
    one = normalised(image="x", volumes=[{"type": "volume", "source": "data"}])
    other = one | {"services": {**one["services"], "api": {"image": "y"}}}
    assert definition(one, "web") == definition(other, "web")
    assert definition(one, "web")["volumes"] == {"data": {"name": "shop_data"}}


def test_depending_on_another_service_does_not_change_a_container() -> None:
    assert definition(normalised(image="x", depends_on={"api": {}}), "web") == definition(normalised(image="x"), "web")


def test_a_changed_value_changes_a_service() -> None:
    assert definition(normalised(environment={"A": "1"}), "web") != definition(
        normalised(environment={"A": "2"}), "web"
    )
