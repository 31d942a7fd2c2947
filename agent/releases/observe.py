"""What runs: a target's containers as the Engine lists them, by one call. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from agent.docker.engine import SERVICE, Engine
from agent.releases.site import name_of

HASH: Final = "ikoma.hash"
_EXIT = re.compile(r"Exited \((\d+)\)")
_LEFTOVER = re.compile(r"[0-9a-f]{12}_")


@dataclass(frozen=True, slots=True)
class Observed:
    """One container of a target."""

    id: str
    name: str
    service: str
    hash: str
    image: str
    state: str
    health: str = ""
    exit_code: int | None = None
    created: int = 0
    stores: frozenset[str] = frozenset()
    """Volumes and folders of the host that it may write to."""

    @property
    def well(self) -> bool:
        """It runs, and its health check (if it has one) does not object."""
        return self.state == "running" and self.health in ("", "healthy")

    @property
    def finished(self) -> bool:
        """It ran to its end without an error."""
        return self.state == "exited" and self.exit_code == 0


def containers(engine: Engine, slug: str) -> list[Observed]:
    """Return the target's containers, oldest first."""
    found = [observed(item) for item in engine.containers(slug)]
    return sorted(found, key=lambda item: (item.created, item.name))


def written(engine: Engine, slug: str) -> list[str]:
    """Return the files and folders of the host that the target's running containers may write to."""
    mounts = [mount for item in engine.containers(slug) if item["State"] == "running" for mount in item["Mounts"]]
    return sorted({mount["Source"] for mount in mounts if mount["Type"] == "bind" and mount["RW"]})


def observed(item: dict[str, Any]) -> Observed:
    """Return one entry of the Engine's list."""
    exited = _EXIT.search(item["Status"])
    return Observed(
        id=item["Id"],
        name=name_of(item),
        service=item["Labels"].get(SERVICE, ""),
        hash=item["Labels"].get(HASH, ""),
        image=item["Image"],
        state=item["State"],
        health=_health(item["Status"]),
        exit_code=int(exited[1]) if exited else None,
        created=item["Created"],
        stores=frozenset(_stores(item.get("Mounts") or [])),
    )


def _stores(mounts: list[dict[str, Any]]) -> list[str]:
    written = [mount for mount in mounts if mount.get("RW")]
    return [str(mount.get("Name") or mount.get("Source")) for mount in written if mount["Type"] in ("volume", "bind")]


def leftover(container: Observed) -> bool:
    """Say whether compose was killed while it replaced this container: it renames it first."""
    return _LEFTOVER.match(container.name) is not None


def _health(status: str) -> str:
    for word in ("(healthy)", "(unhealthy)", "(health: starting)"):
        if word in status:
            return word.strip("()").removeprefix("health: ")
    return ""
