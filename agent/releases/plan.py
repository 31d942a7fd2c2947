"""What a roll-out will do to each service: a value that is printed, posted, compared and executed. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from agent.model import messages
from agent.model.contract import Kind
from agent.model.release import Release
from agent.releases.observe import Observed

Action = Literal["unchanged", "started", "replaced", "restarted", "removed"]
How = Literal["", "start-first", "stop-first", "run", "held"]

_DURATION: Final = re.compile(r"([\d.]+)(h|ms|us|ns|m|s)")

ORDER: Final[tuple[str, ...]] = ("stateful", "one-shot", "routed", "worker")


@dataclass(frozen=True, slots=True)
class Desired:
    """One service as the release wants it."""

    name: str
    kind: Kind
    hash: str
    replicas: int = 1
    stop_first: str = ""
    """Why its containers cannot stand side by side; empty when they can."""
    needs: tuple[str, ...] = ()
    gap: float = 0.0
    """Seconds for which it is not there when it stops before its successor starts."""
    measured: bool = False
    """Whether the gap was measured at its last replacement; else it is what may be needed at most."""


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to one service. ``old`` containers go, ``keep`` ones stay."""

    service: str
    kind: str
    action: Action
    how: How = ""
    reason: str = ""
    count: int = 1
    old: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    gap: float = 0.0
    measured: bool = False

    def render(self, lang: str | None = None) -> str:
        """Return the line for people."""
        key = f"plan.{self.action}" + (f".{self.how}" if self.how else "")
        said = {"service": self.service, "reason": messages.text(self.reason, {}, lang)}
        return messages.text(key, said, lang) + self._expected(lang)

    def _expected(self, lang: str | None) -> str:
        if not self.gap:
            return ""
        measured = "plan.gap.measured" if self.measured else "plan.gap.at_most"
        return messages.text(measured, {"seconds": f"{self.gap:.1f}".removesuffix(".0")}, lang)

    def to_json(self) -> dict[str, Any]:
        plain = {"service": self.service, "kind": self.kind, "action": self.action, "how": self.how,
                 "reason": self.reason}  # fmt: skip
        return plain | ({"gap_seconds": self.gap, "gap_measured": self.measured} if self.gap else {})


@dataclass(frozen=True, slots=True)
class Plan:
    """The moves in the order in which they are made."""

    moves: tuple[Move, ...]

    @property
    def nothing_to_do(self) -> bool:
        return all(move.action == "unchanged" and not move.old for move in self.moves)

    def of(self, *kinds: str, how: str | None = None) -> list[Move]:
        """Return the moves that start containers, of these kinds."""
        return [
            move
            for move in self.moves
            if move.kind in kinds
            and move.action in ("started", "replaced", "restarted")
            and (how is None or move.how == how)
        ]

    def render(self, lang: str | None = None) -> list[str]:
        """Return one line a service."""
        return [move.render(lang) for move in self.moves]

    def to_json(self) -> list[dict[str, Any]]:
        return [move.to_json() for move in self.moves]


def desired(
    release: Release,
    normalised: Mapping[str, Any],
    hashes: Mapping[str, str],
    gaps: Mapping[str, float] = MappingProxyType({}),
) -> list[Desired]:
    """Return the services of a release; ``normalised`` is its interpolated compose file.

    Args:
        gaps: service → seconds for which it was not there when it was last replaced.
    """
    return [
        Desired(
            name=name,
            kind=facts.kind,
            hash=hashes[name],
            replicas=replicas(normalised["services"][name]),
            stop_first=why_stop_first(facts.rollout, normalised["services"][name]),
            needs=tuple(normalised["services"][name].get("depends_on") or ()),
            gap=gaps.get(name) or longest_gap(facts.drain, release.health.window, normalised["services"][name]),
            measured=name in gaps,
        )
        for name, facts in release.services.items()
    ]


def own_proxies(release: Release, normalised: Mapping[str, Any]) -> list[str]:
    """Return the services through which users come in where no route of ours leads to the app. Pure.

    Of their traffic a roll-out can only promise what they make of the names inside the app.
    """
    if release.routes:
        return []
    services = normalised["services"].items()
    return sorted(
        name for name, service in services if any(port.get("published") for port in service.get("ports") or [])
    )


def longest_gap(drain: float, window: float, service: Mapping[str, Any]) -> float:
    """Return the seconds a service may need to stop, start and prove itself, where nobody has measured it yet."""
    check = service.get("healthcheck") or {}
    return drain + window + sum(_seconds(check.get(key)) for key in ("start_period", "interval"))


def _seconds(text: Any) -> float:
    """Return a duration as compose writes it once it is normalised: ``1m30s``, ``500ms``."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "ns": 1e-9}
    return sum(float(number) * units[unit] for number, unit in _DURATION.findall(str(text or "")))


def replicas(service: Mapping[str, Any]) -> int:
    """Return how many containers a service asks for."""
    stated = service.get("scale", (service.get("deploy") or {}).get("replicas"))
    return 1 if stated is None else int(stated)


def why_stop_first(rollout: str, service: Mapping[str, Any]) -> str:
    """Return why a service must stop before its successor starts (an id of the catalogue), or nothing."""
    if any(port.get("published") for port in service.get("ports") or []):
        return "plan.reason.port"
    networks = (service.get("networks") or {}).values()
    if service.get("mac_address") or any((network or {}).get("ipv4_address") for network in networks):
        return "plan.reason.address"
    return "plan.reason.stated" if rollout == "stop-first" else ""


def make(
    wanted: Iterable[Desired], observed: Iterable[Observed], accept: Collection[str] = (), fresh: Collection[str] = ()
) -> Plan:
    """Return the plan that turns ``observed`` into ``wanted``.

    Args:
        accept: names of stateful services that may be replaced.
        fresh: names of services that get new containers though nothing changed (``*``: all that hold no data).
    """
    by_service: dict[str, list[Observed]] = {}
    for container in observed:
        by_service.setdefault(container.service, []).append(container)
    ordered = _ordered(list(wanted))
    moves = [_move(item, by_service.pop(item.name, []), item.name in accept, _renewed(item, fresh)) for item in ordered]
    gone = [
        Move(name, "", "removed", old=tuple(item.id for item in containers))
        for name, containers in sorted(by_service.items())
    ]
    return Plan((*moves, *gone))


def _renewed(item: Desired, fresh: Collection[str]) -> bool:
    return item.name in fresh or ("*" in fresh and item.kind in ("routed", "worker"))


def _move(wanted: Desired, containers: list[Observed], accepted: bool, renewed: bool) -> Move:
    same = [item for item in containers if item.hash == wanted.hash]
    good = [item for item in same if (item.finished if wanted.kind == "one-shot" else item.well)]
    if len(good) >= wanted.replicas and not renewed:
        return _kept(wanted, containers, good[: wanted.replicas])
    running = [item for item in containers if item.state == "running"]
    if wanted.kind == "stateful" and running and not (accepted or renewed):
        return Move(wanted.name, wanted.kind, "unchanged", "held", keep=tuple(item.id for item in containers))
    action: Action = "replaced" if running else "started"
    if same and wanted.kind != "one-shot":
        action = "restarted"
    gone = bool(running) and _how(wanted) == "stop-first"
    return Move(wanted.name, wanted.kind, action, _how(wanted), wanted.stop_first, wanted.replicas,
                old=tuple(item.id for item in containers), gap=wanted.gap if gone else 0.0,
                measured=gone and wanted.measured)  # fmt: skip


def _kept(wanted: Desired, containers: list[Observed], good: list[Observed]) -> Move:
    keep = tuple(item.id for item in good)
    surplus = tuple(item.id for item in containers if item.id not in keep)
    return Move(wanted.name, wanted.kind, "unchanged", old=surplus, keep=keep)


def _how(wanted: Desired) -> How:
    if wanted.kind == "one-shot":
        return "run"
    return "start-first" if wanted.kind == "routed" and not wanted.stop_first else "stop-first"


def _ordered(wanted: list[Desired]) -> list[Desired]:
    """Order by kind, and inside a kind what others depend on first."""
    names = {item.name: item for item in wanted}
    depth: dict[str, int] = {}

    def level(name: str, above: frozenset[str] = frozenset()) -> int:
        if name not in depth:
            below = [item for item in names[name].needs if item in names and item not in above]
            depth[name] = 1 + max((level(item, above | {name}) for item in below), default=0)
        return depth[name]

    return sorted(wanted, key=lambda item: (ORDER.index(item.kind), level(item.name), item.name))
