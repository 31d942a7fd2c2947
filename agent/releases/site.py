"""Where a target lives: its folder, its names on the Engine, the Engine itself. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from agent.docker.compose import Project
from agent.docker.engine import Engine
from agent.host import process
from agent.host.paths import Paths, TargetPaths
from agent.host.settings import Settings
from agent.model.names import Target

COMPOSE_SECONDS: Final = 120.0


class Place(Protocol):
    """What an operation's context and a call have in common."""

    @property
    def paths(self) -> Paths: ...

    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class Site:
    """One target on this host."""

    target: Target
    paths: Paths
    settings: Settings

    @classmethod
    def of(cls, place: Place, target: Target) -> Site:
        """Return the site of ``target`` for an operation or a call."""
        return cls(target, place.paths, place.settings)

    @property
    def slug(self) -> str:
        return self.target.slug

    @property
    def home(self) -> TargetPaths:
        return self.paths.target(self.target)

    @property
    def workplace(self) -> Path:
        """Where folders that are gone in a moment are made: for who only looks, a target's own is not made."""
        return self.home.base if self.home.base.is_dir() else self.paths.state

    @property
    def engine(self) -> Engine:
        return Engine(self.settings.docker_socket)

    @property
    def edge(self) -> str:
        """The network that the reverse proxy shares with this target's routed services."""
        return f"{self.slug}-edge"

    def live(self, service: str) -> str:
        """The name under which the reverse proxy finds a service. Only the agent gives it to a container."""
        return f"{service}.{self.slug}.live"

    def addresses(self, routes: Iterable[str]) -> list[str]:
        """Return how users reach these public names: over HTTPS where certificates are from a public authority."""
        settings = self.settings
        scheme, port, usual = (
            ("https", settings.https_port, 443) if settings.public_tls else ("http", settings.http_port, 80)
        )
        ending = "" if port == usual else f":{port}"
        return [f"{scheme}://{name}{ending}" for name in sorted(routes)]

    @property
    def compose_lock(self) -> Path:
        """Held by each compose program itself, for as long as it lives."""
        self.paths.locks.mkdir(parents=True, exist_ok=True)
        return self.paths.locks / f"compose-{self.slug}.lock"

    def project(self, file: Path, env_file: Path | None = None) -> Project:
        """Return the compose project as ``file`` describes it."""
        return Project(self.slug, self.home.base, file, env_file or self.home.app_env)

    def compose(self, argv: Sequence[str]) -> process.Completed:
        """Run a compose command that dies with this process and of which only one runs at a time.

        Raises:
            IkomaError: ``process.failed`` with the last lines it said.
        """
        return process.run(
            process.with_parent(process.under_lock(self.compose_lock, argv)),
            env=self.environment(),
            timeout=COMPOSE_SECONDS,
        )

    def environment(self) -> dict[str, str]:
        """The whole environment of a Docker client: nothing of ours can be interpolated by compose."""
        config = self.paths.state / "docker"
        config.mkdir(parents=True, exist_ok=True)
        return {
            **process.MINIMAL,
            "DOCKER_HOST": f"unix://{self.settings.docker_socket}",
            "DOCKER_CONFIG": str(config),
            "HOME": str(config),
        }


def name_of(container: dict[str, Any]) -> str:
    """Return the name of a container as the Engine lists it, without the slash."""
    return str((container.get("Names") or [container.get("Name", "")])[0]).lstrip("/")
