"""Command lines of Docker Compose. Pure: nothing here runs anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Project:
    """One compose project: its name, its folder, the file that describes it and the values it uses."""

    slug: str
    folder: Path
    file: Path
    env_file: Path

    def base(self) -> list[str]:
        return [
            "docker", "compose", "--ansi", "never", "--progress", "plain",
            "--project-name", self.slug, "--project-directory", str(self.folder),
            "--file", str(self.file), "--env-file", str(self.env_file),
        ]  # fmt: skip


def config(project: Project) -> list[str]:
    """The whole definition, interpolated and normalised, as JSON. Its output holds secrets."""
    return [*project.base(), "config", "--format", "json"]


def create(project: Project, scale: Mapping[str, int]) -> list[str]:
    """Create (not start) containers up to the given numbers; existing ones and other services stay untouched."""
    scales = [word for name, count in sorted(scale.items()) for word in ("--scale", f"{name}={count}")]
    return [*project.base(), "up", "--no-start", "--no-recreate", "--no-deps", "--no-build", "--pull", "never",
            *scales, *sorted(scale)]  # fmt: skip


def up(project: Project, services: Sequence[str] = ()) -> list[str]:
    """Start services as they are described; containers that exist are kept."""
    return [*project.base(), "up", "--detach", "--no-recreate", "--no-build", "--pull", "never",
            *(["--no-deps"] if services else []), *sorted(services)]  # fmt: skip


def read(file: Path) -> list[str]:
    """The whole definition as its author wrote it, nothing interpolated, as JSON; to be run in the file's folder."""
    return ["docker", "compose", "--file", file.name, "--project-directory", ".", "--env-file", "/dev/null",
            "--project-name", "render", "config", "--no-interpolate", "--no-path-resolution", "--no-normalize",
            "--format", "json"]  # fmt: skip


def build(file: Path, folder: Path) -> list[str]:
    """Build all images that ``file`` describes; paths in it are relative to ``folder``."""
    return ["docker", "compose", "--ansi", "never", "--progress", "plain", "--file", str(file),
            "--project-directory", str(folder), "--env-file", "/dev/null", "build"]  # fmt: skip
