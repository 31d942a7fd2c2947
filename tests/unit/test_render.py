"""The compose file is what Compose says it is, and reading it as YAML agrees in all that we use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agent.model.errors import Misuse
from bridge.images.kinds import kinds, rollout
from bridge.images.render import Rendered, render, required_env
from bridge.workspace.project import Project

SUITE = Path(__file__).parents[2] / "docs/examples/suite"

COMPOSE = """
name: fixed
x-shared: &shared
  restart: unless-stopped
services:
  web:
    <<: *shared
    image: shop/web
    build:
      context: .
      args: [NODE=22, FROM_OUTSIDE, "REGISTRY=${REGISTRY:-docker.io}"]
      target: final
      additional_contexts: ["assets=./assets", "tools=docker-image://tools:1"]
      labels: {team: shop}
      secrets: [ca, {source: token, target: npm}]
      shm_size: 1gb
      cache_from: [x]
    environment: {API: "http://api:4000", KEY: "${KEY:?}", NAME: "${NAME:-shop}", PRICE: "5 $$"}
    env_file: [app.env, common.env]
    ports: ["8080:80"]
    depends_on: {migrate: {condition: service_completed_successfully}}
  api:
    image: shop/web
    command: api
    environment: ["DATABASE_URL=postgres://app@db:5432/x"]
  migrate:
    image: shop/web
    command: migrate
  jobs:
    image: "${JOBS_IMAGE:-ghcr.io/acme/jobs:1}"
  db:
    image: postgres:15
    volumes: ["data:/var/lib/postgresql/data", "./conf/pg.conf:/etc/pg.conf:ro"]
  files:
    image: acme/files
    volumes: ["files:/data"]
  debug:
    image: busybox
    profiles: [debug]
    environment: {ONLY: "${DEBUG_ONLY}"}
secrets:
  ca: {file: ./ca.pem}
  token: {environment: NPM_TOKEN}
volumes: {data: {}, files: {}}
"""


def project(root: Path, compose: str = COMPOSE, contract: str = '{"app": "shop", "migrations": false}') -> Project:
    (root / "ikoma.release.json").write_text(contract)
    (root / "docker-compose.yml").write_text(compose)
    (root / "Dockerfile").write_text("FROM a AS final\n")
    (root / "assets").mkdir(exist_ok=True)
    return Project.open(root)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render(project(tmp_path_factory.mktemp("shop")), {"FROM_OUTSIDE": "yes"})


def test_what_is_built_is_told_from_what_is_pulled_and_what_is_shared(shop: Rendered) -> None:
    assert set(shop.builds) == {"web"}
    assert shop.images == {"jobs": "ghcr.io/acme/jobs:1", "db": "postgres:15", "files": "acme/files"}
    assert shop.shared == {"api": "web", "migrate": "web"}


def test_services_of_a_profile_and_the_projects_name_are_left_out(shop: Rendered) -> None:
    assert "debug" not in shop.compose["services"]
    assert "name" not in shop.compose
    assert shop.compose["volumes"] == {"data": {}, "files": {}}  # no project name in them


def test_nothing_but_build_arguments_and_images_is_interpolated(shop: Rendered) -> None:
    web = shop.compose["services"]["web"]["environment"]
    assert web == {"API": "http://api:4000", "KEY": "${KEY:?}", "NAME": "${NAME:-shop}", "PRICE": "5 $$"}
    assert shop.builds["web"].args == {"NODE": "22", "FROM_OUTSIDE": "yes", "REGISTRY": "docker.io"}


def test_a_build_has_absolute_places_and_what_bake_needs(shop: Rendered) -> None:
    build = shop.builds["web"]
    assert build.dockerfile == build.context / "Dockerfile"
    assert build.target == "final"
    assert build.contexts == {"assets": str(build.context / "assets"), "tools": "docker-image://tools:1"}
    assert build.labels == {"team": "shop"}
    assert build.secrets == (f"id=ca,src={build.context / 'ca.pem'}", "id=npm,env=NPM_TOKEN")
    assert build.extra == {"shm-size": "1gb"}


def test_values_without_a_default_are_required_of_the_host(shop: Rendered) -> None:
    assert required_env(shop.compose["services"]["web"]["environment"]) == ["KEY"]
    assert "DEBUG_ONLY" not in required_env(shop.compose)


def test_kinds_follow_from_what_stands_in_the_file(shop: Rendered, tmp_path: Path) -> None:
    settings = project(tmp_path).settings
    assert kinds(shop, settings) == {
        "api": "routed",  # the web app has its address among its values
        "db": "stateful",  # a known database
        "files": "stateful",  # an image of others with a named volume
        "jobs": "worker",  # nobody reaches it
        "migrate": "one-shot",  # awaited to its end
        "web": "worker",  # a published port alone says nothing about who reaches it
    }


def test_a_route_a_probe_or_a_statement_decides_over_inference(shop: Rendered, tmp_path: Path) -> None:
    contract = """{"app": "shop", "migrations": false, "routes": {"shop.example": "web:80"},
      "services": {"jobs": {"probe": {"path": "/up", "port": 1}}, "files": {"kind": "worker"}}}"""
    found = kinds(shop, project(tmp_path, contract=contract).settings)
    assert (found["web"], found["jobs"], found["files"]) == ("routed", "routed", "worker")


def test_a_published_port_or_an_exclusive_volume_stops_first(shop: Rendered, tmp_path: Path) -> None:
    contract = """{"app": "shop", "migrations": false,
      "services": {"files": {"exclusive_volumes": true}, "db": {"rollout": "stop-first"}, "api": {}}}"""
    stated = project(tmp_path, contract=contract).settings.services
    services = shop.compose["services"]
    assert rollout(services["files"], stated["files"]) == "stop-first"
    assert rollout(services["db"], stated["db"]) == "stop-first"
    assert rollout(services["web"], stated["api"]) == "stop-first"
    assert rollout(services["api"], stated["api"]) == "start-first"


REFUSED = [
    ("services: {web: {command: x}}", "compose.no_image", "web"),
    ("services: {web: {build: ./nowhere}}", "build.context", "nowhere"),
    ("services: {web: {build: https://example.com/r.git}}", "build.context", "example.com"),
    ("services: {web: {build: /etc}}", "build.context", "/etc"),
    ("services: {web: {build: {context: ., dockerfile: Nofile}}}", "dockerfile.missing", "Nofile"),
    ("services: {web: {build: {context: ., privileged: true}}}", "build.unsupported", "privileged"),
    ("services: {web: {build: {context: ., args: {A: '${UNSET}'}}}}", "build.variable", "UNSET"),
    ("services: {web: {image: '${UNSET}'}}", "build.variable", "services.web.image"),
    ("services: {web: {image: a, depends_on: [x]}, x: {image: b, profiles: [p]}}", "compose.profile", "x"),
    ("services: {web: {image: a, prots: []}}", "compose.broken", "prots"),
    ("services: [", "compose.broken", "docker-compose.yml"),
]


@pytest.mark.parametrize(("compose", "message", "names"), REFUSED)
def test_a_mistake_is_refused_by_name(tmp_path: Path, compose: str, message: str, names: str) -> None:
    with pytest.raises(Misuse) as caught:
        render(project(tmp_path, compose), {})
    assert caught.value.id == message
    assert names in caught.value.message("en")


def as_yaml(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file)["services"]


@pytest.mark.parametrize("name", ["suite", "shop"])
def test_reading_the_file_as_yaml_agrees_in_the_fields_we_use(name: str, tmp_path: Path) -> None:
    opened = Project.open(SUITE) if name == "suite" else project(tmp_path)
    rendered = render(opened, {}).compose["services"]
    read = as_yaml(opened.compose_file)
    for service, entry in rendered.items():
        for key in ("image", "restart", "expose", "command", "profiles"):
            assert entry.get(key) == _words(read[service].get(key), entry.get(key)), (service, key)
        assert _mapping(entry.get("environment")) == _mapping(read[service].get("environment"))
        assert sorted(entry.get("depends_on") or {}) == sorted(read[service].get("depends_on") or {})
        build, raw = entry.get("build"), read[service].get("build")
        if build:
            assert {key: build.get(key) for key in ("context", "dockerfile", "target")} == {
                key: raw.get(key) for key in ("context", "dockerfile", "target")
            }
            assert _mapping(build.get("args")) == _mapping(raw.get("args"))


def _words(value: Any, rendered: Any) -> Any:
    return value.split() if isinstance(value, str) and isinstance(rendered, list) else value


def _mapping(value: Any) -> dict[str, str | None]:
    if isinstance(value, list):
        return {item.partition("=")[0]: item.partition("=")[2] if "=" in item else None for item in value}
    return {key: None if item is None else str(item) for key, item in (value or {}).items()}
