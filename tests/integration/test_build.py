"""Building for real: the rig's builder, the rig's registry with its tokens and its own authority."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.model.errors import IkomaError
from agent.model.secret import Secret
from bridge.images import names
from bridge.images.build import BuiltImage, Images, build
from bridge.images.release import make_bundle, make_release
from bridge.workspace.context import Context
from bridge.workspace.dockerignore import Ignore
from bridge.workspace.project import Project
from tests.unit.test_dockerignore import CASES

COMPOSE = """
services:
  web:
    build: {context: ., dockerfile: web/Dockerfile, args: {BASE: "${RIG_BUSYBOX_IMAGE}"}}
  api:
    build: {context: api, args: {BASE: "${RIG_BUSYBOX_IMAGE}"}, additional_contexts: {web: "service:web"}}
    expose: ["4000"]
  cache:
    image: ${RIG_BUSYBOX_IMAGE}
    command: sleep 9999
"""
FILES = {
    "ikoma.release.json": '{"app": "APP", "migrations": false}',
    "docker-compose.yml": COMPOSE,
    "web/Dockerfile": "ARG BASE\nFROM ${BASE}\nCOPY web/index.html /srv/\nRUN test -s /srv/index.html\n",
    "web/index.html": "hello",
    "api/Dockerfile": "ARG BASE\nFROM ${BASE}\nCOPY --from=web /srv /web\nCOPY main.sh /\nRUN test -s /web/index.html",
    "api/main.sh": "#!/bin/sh\nsleep 9999\n",
}


@dataclass(frozen=True)
class Access:
    address: str
    username: str
    token: Secret


@dataclass
class Shop:
    """A small project of its own name, and the rig it is built with."""

    root: Path
    environ: dict[str, str]
    lines: list[str]

    @property
    def access(self) -> Access:
        env = self.environ
        return Access(env["BRIDGE_REGISTRY"], env["BRIDGE_REGISTRY_USER"], Secret(env["BRIDGE_REGISTRY_TOKEN"]))

    def images(self, access: Access | None = None) -> Images:
        return Images(Project.open(self.root), access or self.access, environ=self.environ)

    def build(self, access: Access | None = None) -> dict[str, BuiltImage]:
        chosen = access or self.access
        return build(Project.open(self.root), chosen, (), self.lines.append, images=self.images(chosen))

    def built(self) -> set[str]:
        return {name for name, image in self.build().items() if image.built}


@pytest.fixture
def logins(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where this test's logins are kept, for other tests of the machine log in as well."""
    folder = tmp_path_factory.mktemp("logins")
    monkeypatch.setenv("RUNNER_TEMP", str(folder))
    return folder


@pytest.fixture
def shop(rig: dict[str, str], logins: Path, tmp_path: Path) -> Shop:
    app = f"build-{secrets.token_hex(4)}"
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.replace("APP", app))
    return Shop(tmp_path, {**os.environ, **rig}, [])


def test_what_is_missing_is_built_and_pushed_once_and_what_changes_again(shop: Shop, logins: Path) -> None:
    first = shop.build()
    assert {name for name, image in first.items() if image.built} == {"web", "api"}
    client = shop.images().client
    for service, image in first.items():
        reference = names.parse(image.ref.partition("@")[0] + ":" + image.tag)
        assert client.digest(reference) == image.digest, service

    assert shop.built() == set()
    assert {name: image.ref for name, image in shop.build().items()} == {name: i.ref for name, i in first.items()}

    (shop.root / "api/main.sh").write_text("#!/bin/sh\nsleep 1\n")
    assert shop.built() == {"api"}
    (shop.root / "web/index.html").write_text("changed")
    assert shop.built() == {"web", "api"}  # the API is built on the web app's image

    assert list(logins.iterdir()) == []
    assert shop.access.token.reveal() not in "\n".join(shop.lines)
    assert any("RUN test -s" in line for line in shop.lines)


def test_two_builds_at_once_on_one_machine_build_everything_once(shop: Shop) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: shop.build(), range(2))
    assert {name: image.ref for name, image in one.items()} == {name: image.ref for name, image in other.items()}
    assert sorted(image.built for image in (*one.values(), *other.values())) == [False, False, True, True]
    assert sum(line.startswith("waiting: ") for line in shop.lines) == 1


def test_a_release_of_real_images_pins_all_of_them_by_what_the_registry_has(shop: Shop) -> None:
    known = shop.images()
    built = build(Project.open(shop.root), shop.access, (), shop.lines.append, images=known)
    project = Project.open(shop.root)
    release = make_release(project, built, rendered=known.rendered, client=known.client)
    assert {name: service.image for name, service in release.services.items() if name != "cache"} == {
        name: image.ref for name, image in built.items()
    }
    busybox = names.parse(shop.environ["RIG_BUSYBOX_IMAGE"])
    assert release.services["cache"].image == busybox.pinned(known.client.resolve(busybox))
    assert make_bundle(project, release) == make_bundle(project, release)


def test_a_cache_is_kept_in_the_registry(shop: Shop) -> None:
    image = shop.build()["web"]
    cache = names.parse(image.ref.partition("@")[0] + ":buildcache")
    assert shop.images().client.digest(cache)


def test_a_failing_step_is_told_with_its_own_words_and_leaves_no_login_behind(shop: Shop, logins: Path) -> None:
    file = shop.root / "web/Dockerfile"
    file.write_text(file.read_text() + "RUN echo the reason is here && exit 7\n")
    with pytest.raises(IkomaError) as caught:
        shop.build()
    assert caught.value.id == "build.failed"
    assert "exit code: 7" in caught.value.message("en")
    assert "the reason is here" in caught.value.message("en")
    assert list(logins.iterdir()) == []


def test_a_wrong_token_is_refused_before_anything_is_built(shop: Shop) -> None:
    access = Access(shop.access.address, shop.access.username, Secret("wrong-" + shop.access.token.reveal()))
    with pytest.raises(IkomaError) as caught:
        shop.build(access)
    assert caught.value.id == "registry.bad_login"
    assert shop.lines == []


def test_a_token_that_may_only_read_cannot_push_and_says_so(shop: Shop) -> None:
    reader = Secret(shop.environ["RIG_READONLY_TOKEN"])
    access = Access(shop.access.address, shop.environ["RIG_READONLY_USER"], reader)
    with pytest.raises(IkomaError) as caught:
        shop.build(access)
    assert caught.value.id == "registry.denied"
    assert "push" in caught.value.message("en")
    assert reader.reveal() not in str(caught.value.to_json())


def test_a_registry_that_does_not_listen_is_named_with_its_address(shop: Shop) -> None:
    (shop.root / "docker-compose.yml").write_text("services: {web: {build: web}}")
    (shop.root / "web/Dockerfile").write_text("FROM scratch\nCOPY index.html /\n")
    nobody = shop.access.address.partition(":")[0] + ":5999"
    with pytest.raises(IkomaError) as caught:
        shop.build(Access(nobody, "user", Secret("token-of-nobody")))
    assert caught.value.id == "registry.unreachable"
    assert nobody in caught.value.message("en")


def test_an_authority_that_is_not_trusted_is_told_with_the_way_out(shop: Shop) -> None:
    del shop.environ["SSL_CERT_FILE"]
    shop.environ["SSL_CERT_FILE"] = "/etc/ssl/certs/ca-certificates.crt"
    with pytest.raises(IkomaError) as caught:
        shop.build()
    assert caught.value.id == "registry.untrusted"
    assert "SSL_CERT_FILE" in caught.value.remedy("en")


def test_a_builder_that_does_not_run_is_told(shop: Shop) -> None:
    shop.environ["DOCKER_HOST"] = f"unix://{shop.root}/nobody.sock"
    with pytest.raises(IkomaError) as caught:
        shop.build()
    assert caught.value.id == "build.no_builder"


def test_a_base_image_that_does_not_exist_is_named(shop: Shop) -> None:
    shop.environ["RIG_BUSYBOX_IMAGE"] += "-absent"
    with pytest.raises(IkomaError) as caught:
        shop.build()
    assert caught.value.id == "registry.unknown"
    assert "-absent" in caught.value.message("en")


def _context(root: Path, text: str) -> None:
    for path in {path for _, left, kept in CASES for path in left + kept}:
        place = root / path
        if not place.exists() and not any(parent.is_file() for parent in place.parents):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("x")
    (root / ".dockerignore").write_text(text)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")


def test_a_real_builder_leaves_out_what_we_leave_out(rig: dict[str, str], tmp_path: Path) -> None:
    for number, (text, _, _) in enumerate(CASES):
        root, out = tmp_path / f"{number}", tmp_path / f"{number}-out"
        root.mkdir()
        _context(root, text)
        subprocess.run(
            ["docker", "buildx", "build", "--quiet", "--output", f"type=local,dest={out}", str(root)],
            check=True, capture_output=True, env={**os.environ, **rig},
        )  # fmt: skip
        copied = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
        assert copied == set(Context(root, Ignore(text)).paths), text
        shutil.rmtree(out)
