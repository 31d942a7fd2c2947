"""A release depends on content alone: same content, same id, same bundle, byte for byte."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from agent.model import release as releases
from agent.model.errors import IkomaError, Misuse
from agent.model.release import Release
from bridge.images.build import BuiltImage
from bridge.images.registry import Client
from bridge.images.release import load, make_bundle, make_release, save
from bridge.workspace.project import Project

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
COMPOSE = f"""
services:
  web:
    build: .
    environment: {{KEY: "${{KEY:?}}"}}
    env_file: [app.env, common.env]
    configs: [nginx]
    volumes: ["./conf:/etc/conf:ro", "./data:/data", "cache:/cache"]
    secrets: [token]
  api: {{build: ., expose: ["4000"]}}
  db: {{image: "postgres:15@{A}"}}
configs: {{nginx: {{file: ./nginx.conf}}, unused: {{file: ./unused.conf}}}}
secrets: {{token: {{file: ./conf/a.conf}}}}
volumes: {{cache: {{}}}}
"""
FILES = {
    "docker-compose.yml": COMPOSE,
    "Dockerfile": "FROM a\n",
    "ikoma.release.json": '{"app": "shop", "routes": {"shop.example": "web:80"}}',
    "common.env": "LANG=C\n",
    "nginx.conf": "server {}\n",
    "conf/a.conf": "a\n",
    "conf/deep/run.sh": "#!/bin/sh\n",
    ".gitignore": "app.env\ndata/\n*.local\n",
    "data/big.db": "not sent",
    "conf/mine.local": "not sent",
    "app.env": "KEY=sentinel",
    "migrations/0002_more.sql": "SELECT 2;\n",
    "migrations/0001_first.sql": "SELECT 1;\n",
    "migrations/README.md": "not a migration",
}


class NoRegistry(Client):
    """Fails the test that asks a registry although everything is pinned."""

    def digest(self, reference: object) -> str | None:
        raise AssertionError(f"asked for {reference}")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "conf/deep/run.sh").chmod(0o755)
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "x"], [*identity, "tag", "v1.2.0"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def image(service: str, digest: str = A, tag: str = "in-0000000000000000") -> BuiltImage:
    return BuiltImage(f"ghcr.io/acme/shop/{service}@{digest}", tag, built=True)


def images(**digests: str) -> dict[str, BuiltImage]:
    return {name: image(name, digests.get(name, A)) for name in ("web", "api")}


def make(root: Path, built: dict[str, BuiltImage] | None = None, **options: object) -> Release:
    return make_release(Project.open(root), built or images(), client=NoRegistry(), **options)  # type: ignore[arg-type]


def bundle(root: Path, release: Release) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(make_bundle(Project.open(root), release))) as archive:
        return {item.name: archive.extractfile(item).read() for item in archive}  # type: ignore[union-attr]


def test_services_are_pinned_and_know_their_tags(shop: Path) -> None:
    made = make(shop)
    assert made.services["web"].image == f"ghcr.io/acme/shop/web@{A}"
    assert made.services["web"].tag == "in-0000000000000000"
    assert made.services["db"].image == f"docker.io/library/postgres:15@{A}"
    assert made.services["db"].tag == ""
    assert {name: service.kind for name, service in made.services.items()} == {
        "web": "routed", "api": "routed", "db": "stateful",
    }  # fmt: skip


def test_the_compose_text_says_nothing_about_building_and_keeps_its_variables(shop: Path) -> None:
    compose = make(shop).compose
    assert all("build" not in service for service in compose["services"].values())
    assert compose["services"]["web"]["image"] == f"ghcr.io/acme/shop/web@{A}"
    assert compose["services"]["web"]["environment"] == {"KEY": "${KEY:?}"}
    assert "unused" not in compose["configs"]


def test_migrations_stand_in_order_with_their_checksums(shop: Path) -> None:
    assert [item.name for item in make(shop).migrations] == ["0001_first", "0002_more"]


def test_mounted_files_of_the_repository_are_sent_and_nothing_else(shop: Path) -> None:
    made = make(shop)
    assert [(item.path, item.executable) for item in made.files] == [
        ("common.env", False), ("conf/a.conf", False), ("conf/deep/run.sh", True), ("nginx.conf", False),
    ]  # fmt: skip
    content = bundle(shop, made)
    assert set(content) == {
        "release.json", "migrations/0001_first.sql", "migrations/0002_more.sql",
        *(f"files/{item.sha256}" for item in made.files),
    }  # fmt: skip
    assert not any(b"sentinel" in raw or b"not sent" in raw for raw in content.values())


def test_what_the_host_must_have_is_named(shop: Path) -> None:
    assert make(shop).required_env == ["KEY"]


def test_the_same_content_is_the_same_release_and_the_same_bundle(shop: Path) -> None:
    one, two = make(shop), make(shop)
    assert one.id == two.id
    first = make_bundle(Project.open(shop), one)
    os.utime(shop / "migrations/0001_first.sql", (1, 1))
    assert make_bundle(Project.open(shop), two) == first
    assert first[4:8] == bytes(4)  # no time of packing


def test_a_commit_or_a_dirty_tree_changes_the_provenance_and_not_the_release(shop: Path) -> None:
    clean = make(shop)
    assert clean.provenance.tag == "v1.2.0"
    assert clean.provenance.author == "Ada"
    assert len(clean.provenance.commit) == 40
    assert not clean.provenance.dirty
    (shop / "NOTES.md").write_text("nobody copies this")
    dirty = make(shop)
    assert dirty.provenance.dirty
    assert dirty.id == clean.id


def test_a_project_in_a_subfolder_or_outside_of_git_is_a_project_too(shop: Path, tmp_path: Path) -> None:
    below = shop / "below"
    below.mkdir()
    for name in ("docker-compose.yml", "Dockerfile", "ikoma.release.json", "common.env", "nginx.conf"):
        (below / name).write_bytes((shop / name).read_bytes())
    for name in ("conf", "migrations"):
        (below / name).symlink_to(shop / name)
    (below / "conf").unlink()
    (below / "conf").mkdir()
    (below / "conf/a.conf").write_text("a\n")
    assert make(below).provenance.commit == make(shop).provenance.commit
    subprocess.run(["rm", "-rf", str(shop / ".git")], check=True)
    assert make(below).provenance.commit == ""
    assert make(below).provenance.dirty is False


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("migrations/0003_new.sql", "SELECT 3;"),
        ("nginx.conf", "other"),
        ("ikoma.release.json", '{"app": "shop", "health": {"window": "9s"}}'),
        ("docker-compose.yml", COMPOSE.replace("4000", "4001")),
    ],
)
def test_other_content_is_another_release(shop: Path, name: str, text: str) -> None:
    before = make(shop).id
    (shop / name).write_text(text)
    assert make(shop).id != before


def test_another_image_is_another_release(shop: Path) -> None:
    assert make(shop).id != make(shop, images(web=B)).id


def test_a_stored_release_can_be_read_and_compared(shop: Path) -> None:
    made = make(shop)
    save(made, shop / "release.json")
    assert load(shop / "release.json") == made
    assert releases.parse(json.loads(bundle(shop, made)["release.json"])) == made
    (shop / "release.json").write_text((shop / "release.json").read_text().replace('"shop.example"', '"evil.example"'))
    with pytest.raises(Misuse) as caught:
        load(shop / "release.json")
    assert caught.value.id == "release.invalid"


def test_only_the_chosen_service_changes_and_the_others_stay_as_deployed(shop: Path) -> None:
    base = make(shop)
    (shop / "docker-compose.yml").write_text(COMPOSE.replace('expose: ["4000"]', 'expose: ["5000"]'))
    made = make(shop, {"web": image("web", B)}, base=base, only=["web"])
    assert made.services["web"].image.endswith(B)
    assert made.services["api"] == base.services["api"]
    assert made.compose["services"]["api"] == base.compose["services"]["api"]
    assert made.services["db"] == base.services["db"]


def test_nothing_changed_with_only_is_the_same_release(shop: Path) -> None:
    base = make(shop)
    assert make(shop, {"web": image("web")}, base=base, only=["web"]).id == base.id


def test_a_new_log_policy_comes_with_the_whole_app_and_not_with_a_part(shop: Path) -> None:
    base = make(shop)
    contract = json.loads((shop / "ikoma.release.json").read_text())
    policy = {"retention": {"releases": 9, "logs": {"max_size": "1m"}}}
    (shop / "ikoma.release.json").write_text(json.dumps(contract | policy))
    part, whole = make(shop, {"web": image("web")}, base=base, only=["web"]), make(shop)
    assert (part.retention.releases, part.retention.logs) == (9, base.retention.logs)
    assert whole.retention.logs.max_size == "1m"
    assert make(shop, {"web": image("web")}, base=whole, only=["web"]).id == whole.id


def test_a_part_of_an_app_that_is_not_deployed_is_refused(shop: Path) -> None:
    with pytest.raises(Misuse) as caught:
        make(shop, only=["web"])
    assert caught.value.id == "build.only_first"


def test_a_file_that_others_mount_cannot_change_with_a_part(shop: Path) -> None:
    base = make(shop)
    (shop / "nginx.conf").write_text("changed")
    with pytest.raises(Misuse) as caught:
        make(shop, {"api": image("api")}, base=base, only=["api"])
    assert caught.value.id == "release.only_files"
    assert "nginx.conf" in caught.value.message("en")
    assert make(shop, {"web": image("web")}, base=base, only=["web"]).id != base.id


def test_images_of_others_keep_their_digest_until_their_tag_changes_or_a_refresh(shop: Path) -> None:
    class Registry(Client):
        def digest(self, reference: object) -> str | None:
            return B

    (shop / "docker-compose.yml").write_text(COMPOSE.replace(f"postgres:15@{A}", "postgres:15"))
    project = Project.open(shop)
    base = make_release(project, images(), client=Registry())
    assert base.services["db"].image == f"docker.io/library/postgres:15@{B}"
    assert make(shop, base=base).services["db"] == base.services["db"]
    with pytest.raises(AssertionError, match="asked for"):
        make(shop, base=base, refresh=True)
    (shop / "docker-compose.yml").write_text(COMPOSE.replace(f"postgres:15@{A}", "postgres:16"))
    with pytest.raises(AssertionError, match="asked for"):
        make(shop, base=base)


REFUSED = [
    ("migrations/bad.sql", "x", "migration.bad_name"),
    ("migrations/0002_again.sql", "x", "migration.duplicate"),
    ("docker-compose.yml", COMPOSE.replace("./nginx.conf", "./absent.conf"), "release.no_file"),
    ("docker-compose.yml", COMPOSE.replace("./nginx.conf", "./conf/mine.local"), "release.no_file"),
    ("docker-compose.yml", COMPOSE.replace("./nginx.conf", "../outside.conf"), "release.outside"),
    ("ikoma.release.json", '{"app": "shop", "routes": {"a.b": "wbe:80"}}', "build.unknown_service"),
    ("ikoma.release.json", '{"app": "shop", "services": {"wbe": {}}}', "build.unknown_service"),
    ("ikoma.release.json", '{"app": "shop", "migrations": "sql"}', "release.no_migrations"),
]


@pytest.mark.parametrize(("name", "text", "message"), REFUSED)
def test_what_cannot_become_a_release_is_refused(shop: Path, name: str, text: str, message: str) -> None:
    (shop / name).write_text(text)
    with pytest.raises(IkomaError) as caught:
        make(shop)
    assert caught.value.id == message


def test_a_link_that_leads_out_of_the_folder_is_not_followed(shop: Path) -> None:
    (shop / "nginx.conf").unlink()
    (shop / "nginx.conf").symlink_to("/etc/hostname")
    with pytest.raises(Misuse) as caught:
        make(shop)
    assert caught.value.id == "release.outside"


def test_a_file_that_changes_under_our_hands_is_noticed(shop: Path) -> None:
    made = make(shop)
    (shop / "migrations/0001_first.sql").write_text("SELECT 'other';")
    with pytest.raises(Misuse) as caught:
        make_bundle(Project.open(shop), made)
    assert caught.value.id == "release.changed"


def test_a_missing_contract_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(Misuse) as caught:
        Project.open(tmp_path)
    assert caught.value.id == "contract.missing"
    assert "bridge init" in caught.value.remedy("en")


def test_an_environment_that_is_not_described_is_refused(shop: Path) -> None:
    with pytest.raises(Misuse) as caught:
        Project.open(shop, "stagging")
    assert caught.value.id == "contract.environment"
