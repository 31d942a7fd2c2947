"""The host is gone: another one serves the same rows and the same files, by the blocks of the runbook alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.lost import Project, Story, elsewhere, host, suite, tiny
from tests.rig.fixtures import command

ROWS = 1000
PROJECTS: list[Callable[[Path, int], Project]] = [tiny, suite]


@pytest.fixture
def projects(long: bool) -> list[Callable[[Path, int], Project]]:
    """The app of one service; with the whole matrix the example of three as well, which takes minutes to build."""
    return PROJECTS if long else PROJECTS[:1]


def test_from_repository_registry_and_sets_alone_another_host_serves_the_same_rows_and_files(
    rig: dict[str, str], projects: list[Callable[[Path, int], Project]], tmp_path: Path
) -> None:
    for make in projects:
        (home := tmp_path / make.__name__).mkdir()
        project = make(home, ROWS)
        with elsewhere(rig) as place:
            story = Story(project, place, home)
            with host("first") as first:
                rows = story.live_on(first)
                command("down", "--name", "first")
            with host("second") as second:
                story.take_its_place(second)
                assert project.rows(second) == rows
                assert int(rows.partition("|")[0]) >= ROWS
                assert story.photo(second) == "a photo\n"
                for name, value in project.values.items():
                    assert f"{name}={value}" in second.inside("cat", "/srv/apps/myapp/app.env")
                assert second.ask(project.route)[0] == 200
