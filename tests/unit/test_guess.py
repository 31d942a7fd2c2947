"""The guessed contract is small, valid, and every guess says why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agent.model.contract import FILE
from agent.model.errors import Misuse
from bridge.workspace.guess import propose, write
from bridge.workspace.project import Project

SUITE = Path(__file__).parents[2] / "docs/examples/suite"


def repo(root: Path, **files: str) -> Path:
    for name, text in files.items():
        place = root / name.replace("__", "/").replace("_yml", ".yml").replace("_sql", ".sql").replace("_json", ".json")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


WEB = "services: {web: {build: ., expose: [3000], healthcheck: {test: x}}}"


def test_the_example_suite_is_guessed_as_it_was_written(tmp_path: Path) -> None:
    shutil.copytree(SUITE, tmp_path / "suite")
    (tmp_path / "suite" / FILE).unlink()
    guess = propose(tmp_path / "suite")
    assert guess.contract == {
        "app": "suite",
        "migrations": {"schemas": ["app", "billing"]},
        "routes": {"suite.localhost": "website:3000"},
    }
    write(tmp_path / "suite", guess)
    assert Project.open(tmp_path / "suite").app == "suite"


def test_the_app_is_named_by_the_user_the_manifest_or_the_folder(tmp_path: Path) -> None:
    named = repo(tmp_path / "Folder 12 Name", docker__compose="", **{"docker-compose_yml": WEB})
    assert propose(named).contract["app"] == "folder-12-name"
    (named / "package.json").write_text('{"name": "@acme/Shop_Front"}')
    assert propose(named).contract["app"] == "shop-front"
    (named / "package.json").write_text('{"name": "monorepo"}')
    assert propose(named).contract["app"] == "folder-12-name"
    assert propose(named, "mine").contract["app"] == "mine"


def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misuse):
        propose(repo(tmp_path, **{"docker-compose_yml": WEB}), "No Name")


def test_a_compose_file_for_production_is_preferred_and_stated(tmp_path: Path) -> None:
    root = repo(tmp_path, **{"docker-compose_yml": "services: {}", "docker-compose.prod_yml": WEB})
    assert propose(root).contract["compose"] == "docker-compose.prod.yml"


def test_without_a_compose_file_there_is_nothing_to_guess(tmp_path: Path) -> None:
    with pytest.raises(Misuse) as caught:
        propose(tmp_path)
    assert caught.value.id == "guess.no_compose"


def test_a_broken_compose_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse) as caught:
        propose(repo(tmp_path, **{"docker-compose_yml": "services: ["}))
    assert caught.value.id == "compose.broken"


def test_an_existing_contract_is_left_alone(tmp_path: Path) -> None:
    root = repo(tmp_path, **{"docker-compose_yml": WEB})
    guess = propose(root)
    (root / FILE).write_text("mine")
    for again in (lambda: propose(root), lambda: write(root, guess)):
        with pytest.raises(Misuse) as caught:
            again()
        assert caught.value.id == "guess.exists"
    assert (root / FILE).read_text() == "mine"


def test_the_fullest_migrations_folder_is_taken_with_the_schemas_it_makes(tmp_path: Path) -> None:
    root = repo(
        tmp_path,
        **{"docker-compose_yml": WEB},
        db__old__0001_a_sql="",
        packages__db__migrations__0001_a_sql="CREATE TABLE t (x int);",
        packages__db__migrations__0002_b_sql="create schema if not exists billing;",
        node_modules__x__0001_a_sql="",
    )
    (root / "node_modules/x/0002_b.sql").write_text("")
    assert propose(root).contract["migrations"] == {
        "folder": "packages/db/migrations",
        "schemas": ["public", "billing"],
    }


def test_no_migrations_is_said_and_not_left_to_fail(tmp_path: Path) -> None:
    assert propose(repo(tmp_path, **{"docker-compose_yml": WEB})).contract["migrations"] is False


PORTS = [
    ("services: {web: {build: ., expose: ['3000/tcp']}, api: {build: ., expose: [4000]}}", "web:3000"),
    ("services: {web: {build: ., ports: ['127.0.0.1:8080:80']}}", "web:80"),
    ("services: {web: {build: ., ports: [{target: 81, published: 8080}]}}", "web:81"),
    ("services: {web: {build: .}}", "web:8000"),  # its Dockerfile says so
    ("services: {shop: {build: ., expose: [1]}}", "shop:1"),  # the only one that listens
    ("services: {one: {build: ., expose: [1]}, two: {build: ., expose: [2]}}", None),
    ("services: {web: {image: nginx, expose: [80]}}", None),  # not ours
]


@pytest.mark.parametrize(("compose", "upstream"), PORTS)
def test_a_route_is_guessed_when_one_service_looks_public(tmp_path: Path, compose: str, upstream: str | None) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\nEXPOSE 8000/tcp\n")
    guess = propose(repo(tmp_path, **{"docker-compose_yml": compose}), "shop")
    assert guess.contract.get("routes") == ({"shop.localhost": upstream} if upstream else None)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_guess_has_a_reason_in_both_languages(tmp_path: Path, lang: str) -> None:
    compose = "services: {web: {build: ., ports: ['80:80']}, jobs: {build: {context: x}}}"
    lines = propose(repo(tmp_path, **{"docker-compose_yml": compose}), "shop").lines(lang)
    assert len(lines) == 6
    assert not any("{" in line or "guess." in line for line in lines)
