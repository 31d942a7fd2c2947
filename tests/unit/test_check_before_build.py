"""Before anything is built the repository is checked; only what concerns the images that are built may stop it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.model.errors import IkomaError
from bridge.pipeline import checking
from bridge.workspace.project import Project
from tests.unit import check_cases


@pytest.fixture
def broken(tmp_path: Path) -> Project:
    """The example suite with a filter in the worker's Dockerfile that names nothing, and a migration that is none."""
    repo = check_cases.copy(tmp_path / "suite")
    file = repo / "apps/worker/Dockerfile"
    file.write_text(file.read_text().replace("--filter=@suite/worker", "--filter=worker"))
    next((repo / "migrations").glob("*.sql")).with_name("9999_broken.sql").write_text("SELECT FROM WHERE;")
    return Project.open(repo)


def test_an_error_stops_the_build_and_is_said_with_its_place(broken: Project) -> None:
    said: list[str] = []
    with pytest.raises(IkomaError) as stopped:
        checking.inspect(broken, (), said.append)
    assert (stopped.value.id, stopped.value.exit_code, stopped.value.params["count"]) == ("check.errors", 1, 1)
    assert [line.split(" ")[:2] for line in said[1:]] == [["apps/worker/Dockerfile:26:31", "IKB301"]]


def test_an_error_in_another_image_stops_nothing(broken: Project) -> None:
    said: list[str] = []
    checking.inspect(broken, ("website",), said.append)
    assert said[0].startswith("check: errors 0")


def test_another_package_s_drift_stops_the_image_whose_install_sees_it(tmp_path: Path) -> None:
    repo = check_cases.copy(tmp_path / "suite")
    manifest = repo / "apps/worker/package.json"
    manifest.write_text(manifest.read_text().replace('"@suite/db"', '"zod": "^3.23.8",\n    "@suite/db"', 1))
    checking.inspect(Project.open(repo), ("website",), lambda _text: None)
    file = repo / "apps/website/Dockerfile"
    file.write_text("FROM node:22-bookworm-slim\nWORKDIR /suite\nCOPY . .\nRUN pnpm install --frozen-lockfile\n")
    with pytest.raises(IkomaError) as stopped:
        checking.inspect(Project.open(repo), ("website",), lambda _text: None)
    assert stopped.value.id == "check.errors"


def test_the_example_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    checking.inspect(Project.open(check_cases.copy(tmp_path / "suite")), (), said.append)
    assert len(said) == 1
