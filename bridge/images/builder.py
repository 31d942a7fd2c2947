"""What the builder at hand can do: some cannot keep a cache in the registry."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from agent.host import process
from agent.model.errors import IkomaError


@dataclass(frozen=True, slots=True)
class Builder:
    """The builder that buildx would use."""

    driver: str
    keeps_cache: bool
    """Whether it can export a cache to a registry (``mode=max``) and attest what it built."""


def detect(env: Mapping[str, str]) -> Builder:
    """Ask buildx for its builder.

    Raises:
        IkomaError: ``build.no_buildx``, ``build.no_builder``.
    """
    done = process.run(["docker", "buildx", "inspect"], env=env, check=False, timeout=60)
    if not done.ok:
        if "is not a docker command" in done.stderr or "unknown command" in done.stderr:
            raise IkomaError("build.no_buildx")
        raise IkomaError("build.no_builder", said=done.last_lines(2))
    driver = _field(done.stdout, "Driver")
    if error := _field(done.stdout, "Error"):
        raise IkomaError("build.no_builder", said=error)
    return Builder(driver, driver != "docker" or _has_snapshotter(env))


def _field(text: str, name: str) -> str:
    match = re.search(rf"^{name}:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else ""


def _has_snapshotter(env: Mapping[str, str]) -> bool:
    """The engine's own builder keeps caches only with containerd's image store."""
    done = process.run(["docker", "info", "--format", "{{json .DriverStatus}}"], env=env, check=False, timeout=60)
    try:
        status = json.loads(done.stdout) or []
    except ValueError:
        return False
    return ["driver-type", "io.containerd.snapshotter.v1"] in status
