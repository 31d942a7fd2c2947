"""What is known of a host before anything is decided."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from agent.model import messages
from bridge.remote.admin import Admin
from bridge.remote.layout import PROGRAM, QUESTIONS


@dataclass(frozen=True, slots=True)
class Facts:
    """One look at a host.

    Attributes:
        pythons: interpreters of the distribution, absolute path → version.
        user: home, shell and groups of the agent's user; None when there is none.
        docker_group: the group that may speak with the Engine; empty when there is no Engine.
        paths: state of the files asked for (see ``onhost/facts.py``).
        texts: their contents, where asked for.
        versions: the complete agents on the host, oldest first.
        timer: what systemd says of our timer (``enabled``, or empty).
        skew: seconds this host's clock is ahead of ours.
        survey: what only ``host check`` shows.
    """

    machine: str
    system: str
    systemd: bool
    pythons: dict[str, tuple[int, int]]
    user: dict[str, Any] | None
    docker_group: str
    paths: dict[str, dict[str, Any]]
    texts: dict[str, str | None]
    versions: tuple[str, ...]
    timer: str
    skew: float = 0.0
    survey: dict[str, Any] = field(default_factory=dict)

    def state(self, path: str) -> dict[str, Any]:
        """Return what is at ``path``."""
        return self.paths.get(path, {"kind": "absent"})

    def text(self, path: str) -> str:
        """Return the content of ``path``; empty when there is none."""
        return self.texts.get(path) or ""


_SURVEY = ("engine", "compose", "disk", "memory", "ports", "databases", "container_count", "libc", "platform")


def parse(data: dict[str, Any], skew: float = 0.0) -> Facts:
    """Return the facts in the answer of ``onhost/facts.py``."""
    return Facts(
        machine=data["machine"],
        system=data["system"],
        systemd=data["systemd"],
        pythons={path: (version[0], version[1]) for path, version in data["pythons"].items()},
        user=data["user"],
        docker_group=data["docker_group"],
        paths=data["paths"],
        texts=data["texts"],
        versions=tuple(data["versions"]),
        timer=data["timer"],
        skew=skew,
        survey={name: data[name] for name in _SURVEY if name in data},
    )


def gather(admin: Admin, survey: bool = False) -> Facts:
    """Look at a host; changes nothing. ``survey`` asks for what ``host check`` shows as well."""
    before = time.time()
    request = {**QUESTIONS, "survey": survey, "program": PROGRAM, "lang": messages.language()}
    answers = list(admin.run("facts", request))
    data = next(answer["facts"] for answer in answers if answer["t"] == "facts")
    # The host's clock was read somewhere between our two readings.
    return parse(data, data["time"] - (before + time.time()) / 2)
