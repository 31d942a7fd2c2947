"""The example monorepo keeps the promises its README makes; newcomers copy it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agent.model import contract

SUITE = Path(__file__).parents[2] / "docs/examples/suite"
APPS = ("api", "website", "worker")
MIGRATIONS = sorted((SUITE / "migrations").iterdir())
MANIFESTS = sorted([SUITE / "package.json", *SUITE.glob("apps/*/package.json"), *SUITE.glob("packages/*/package.json")])

NAMES_A_ROLE = re.compile(r"\b(GRANT|REVOKE|OWNER\s+TO|AUTHORIZATION|(SET|CREATE|ALTER|DROP)\s+ROLE)\b", re.IGNORECASE)
LEAVES_ITS_TRANSACTION = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK)\s*;|\bCONCURRENTLY\b", re.IGNORECASE | re.MULTILINE)
TAKES_AWAY = re.compile(r"\b(DROP|RENAME|TRUNCATE|DELETE\s+FROM|ALTER\s+COLUMN)\b", re.IGNORECASE)
POLICY_FOR_A_ROLE = re.compile(r"CREATE\s+POLICY[^;]*?\bTO\s+\w+", re.IGNORECASE)


def compose() -> Any:
    return YAML(typ="safe").load(SUITE / "docker-compose.yml")


def statements(migration: Path) -> str:
    return re.sub(r"--[^\n]*", "", migration.read_text())


def dockerfile(app: str) -> str:
    return (SUITE / "apps" / app / "Dockerfile").read_text()


def workspace_dependencies(folder: Path) -> set[str]:
    """The folders of the workspace packages that the package in `folder` stands on, to any depth."""
    manifest = json.loads((folder / "package.json").read_text())
    near = {f"packages/{name.removeprefix('@suite/')}" for name, version
            in manifest.get("dependencies", {}).items() if version.startswith("workspace:")}  # fmt: skip
    return near.union(*(workspace_dependencies(SUITE / name) for name in near))


def test_migrations_are_numbered_from_1_to_13_without_a_gap() -> None:
    assert [path.name[:5] for path in MIGRATIONS] == [f"{number:04}_" for number in range(1, 14)]
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", path.name) for path in MIGRATIONS)


def test_migrations_make_the_schemas_that_the_contract_states() -> None:
    made = {name for path in MIGRATIONS for name in re.findall(r"CREATE SCHEMA (\w+)", statements(path))}
    settings = contract.load((SUITE / contract.FILE).read_text()).settings()
    assert isinstance(settings.migrations, contract.Migrations)
    assert made == set(settings.migrations.schemas) == {"app", "billing"}


@pytest.mark.parametrize("pattern", [NAMES_A_ROLE, POLICY_FOR_A_ROLE, LEAVES_ITS_TRANSACTION, TAKES_AWAY])
@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.stem)
def test_a_migration_names_no_role_stays_in_its_transaction_and_only_adds(
    migration: Path, pattern: re.Pattern[str]
) -> None:
    assert pattern.search(statements(migration)) is None


def test_the_lock_file_names_no_host() -> None:
    text = (SUITE / "pnpm-lock.yaml").read_text()
    assert "lockfileVersion: '9.0'" in text
    assert not re.search(r"https?:|tarball:|git\+", text)


def test_the_lock_file_knows_every_manifest_as_it_is() -> None:
    importers = YAML(typ="safe").load(SUITE / "pnpm-lock.yaml")["importers"]
    for path in MANIFESTS:
        manifest, locked = json.loads(path.read_text()), importers[path.parent.relative_to(SUITE).as_posix()]
        for section in ("dependencies", "devDependencies"):
            specifiers = {name: entry["specifier"] for name, entry in locked.get(section, {}).items()}
            assert specifiers == manifest.get(section, {}), path
    assert len(importers) == len(MANIFESTS)


@pytest.mark.parametrize("app", APPS)
def test_a_dockerfile_takes_its_base_image_as_an_argument_and_needs_no_other_image(app: str) -> None:
    text = dockerfile(app)
    assert re.search(r"^ARG BASE_IMAGE=node:22-bookworm-slim$", text, re.MULTILINE)
    assert "# syntax" not in text
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE_IMAGE}", "manifests"}


@pytest.mark.parametrize("app", APPS)
def test_a_dockerfile_copies_its_app_and_the_packages_that_app_stands_on_and_nothing_else(app: str) -> None:
    needed = {f"apps/{app}"} | workspace_dependencies(SUITE / "apps" / app)
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile(app), re.MULTILINE)
    sources = {source for line in copied for source in line.split() if "/" in source}
    assert sources == needed | {f"{folder}/package.json" for folder in needed}


@pytest.mark.parametrize("app", APPS)
def test_a_container_runs_as_nobody_and_hears_its_signals(app: str) -> None:
    last_stage = dockerfile(app).rsplit("FROM ", 1)[1]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last_stage, re.MULTILINE)
    assert re.search(r'^CMD \["node", ', last_stage, re.MULTILINE)


def test_compose_builds_every_app_from_the_workspace_root_and_publishes_no_port() -> None:
    services = compose()["services"]
    assert sorted(services) == sorted(APPS)
    for name, service in services.items():
        assert service["build"]["context"] == "."
        assert service["build"]["dockerfile"] == f"apps/{name}/Dockerfile"
        assert "BASE_IMAGE" in service["build"]["args"]
        assert "ports" not in service


@pytest.mark.parametrize("app", APPS)
def test_a_service_says_how_it_is_healthy_and_how_long_it_may_take_to_stop(app: str) -> None:
    service = compose()["services"][app]
    assert service["healthcheck"]["test"][:2] == ["CMD", "node"]
    assert service["healthcheck"]["interval"] == "10s"
    assert service["stop_grace_period"] == "10s"


def test_the_example_environment_lists_every_variable_that_compose_asks_for() -> None:
    without_builds = {name: service["environment"] for name, service in compose()["services"].items()}
    asked = set(re.findall(r"\$\{(\w+)", json.dumps(without_builds)))
    listed = set(re.findall(r"^#?([A-Z_]+)=", (SUITE / "app.env.example").read_text(), re.MULTILINE))
    assert asked == listed


def test_the_route_leads_to_a_port_that_its_service_exposes() -> None:
    settings = contract.load((SUITE / contract.FILE).read_text()).settings()
    assert settings.routes == {"suite.localhost": "website:3000"}
    assert compose()["services"]["website"]["expose"] == ["3000"]
    probe = settings.services["website"].probe
    assert probe is not None
    assert probe.path == "/health"
