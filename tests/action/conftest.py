"""Runners for our action, GitHub's double beside them, and small repositories to check."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.action.engine import Engine
from tests.action.runner import Runner
from tests.github.server import Server, serve

NewRunner = Callable[..., Runner]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """GitHub's expression engine."""
    running = Engine()
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def github() -> Iterator[Server]:
    """GitHub's double; a test fails when anything that went over the line is not as GitHub describes it."""
    with serve() as server:
        yield server
        assert not server.violations


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for temporary files that the runners share: the action installs itself into it once."""
    return tmp_path_factory.mktemp("machine")


@pytest.fixture
def new_runner(tmp_path: Path, machine: Path, engine: Engine) -> NewRunner:
    """Makes runners: each is a fresh job on the same machine."""
    made = iter(range(100))

    def make(context: dict[str, Any], variables: Mapping[str, str] | None = None) -> Runner:
        root = tmp_path / f"runner-{next(made)}"
        root.mkdir()
        (root / "temp").symlink_to(machine)
        event = root / "event.json"
        event.write_text(json.dumps(context["event"]))
        return Runner(root, engine, context, event, variables or {})

    return make


def commit(folder: Path, files: Mapping[str, str]) -> None:
    """Make ``folder`` a repository that holds these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git = [
        "git",
        "-C",
        str(folder),
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.com",
        "-c",
        "init.defaultBranch=main",
    ]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "files", "--allow-empty"]):
        subprocess.run([*git, *words], check=True, capture_output=True)


def faulty(count: int = 1, name: str = "gone") -> dict[str, str]:
    """Return an app whose Dockerfile copies ``count`` files that are not there."""
    copies = "".join(f'COPY ["{name}-{number}.txt", "/x/"]\n' for number in range(count))
    return {
        "ikoma.release.json": '{"app": "shop", "migrations": false}\n',
        "docker-compose.yml": 'services:\n  web:\n    build: .\n    init: true\n    expose: ["80"]\n'
        "    restart: unless-stopped\n",
        "Dockerfile": "FROM scratch\n" + copies + 'USER 1000\nCMD ["/x/run"]\n',
        ".dockerignore": ".git\n",
    }
