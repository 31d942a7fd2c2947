"""What a roll-out will do to each service: a value that is printed, posted, compared and executed. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from agent.model import messages
from agent.model.contract import Kind
from agent.model.release import Release
from agent.releases.observe import Observed

Action = Literal["unchanged", "started", "replaced", "restarted", "removed"]
How = Literal["", "start-first", "stop-first", "run", "held", "again", "left", "moved"]
"""``held``: it holds data and stays as it is; ``again``: it does, as it should be, and stood still; ``left``: it holds
data and stays though the release has it no more; ``moved``: the same, but another service takes its data over."""

_DURATION: Final = re.compile(r"([\d.]+)(h|ms|us|ns|m|s)")

_STILL: Final = ("exited", "created")
"""States of a container that can be started again."""

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
    stores: frozenset[str] = frozenset()
    """Volumes and folders of the host that it writes to."""


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to one service. ``old`` containers go, ``keep`` ones stay; of these ``wake`` are started."""

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
    wake: tuple[str, ...] = ()

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
        """Return the moves that make containers, of these kinds."""
        return [
            move
            for move in self.moves
            if move.kind in kinds
            and move.action in ("started", "replaced", "restarted")
            and not move.keep
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
            stores=stores(normalised, name),
        )
        for name, facts in release.services.items()
    ]


def stores(normalised: Mapping[str, Any], service: str) -> frozenset[str]:
    """Return the volumes (by their real names) and folders of the host that a service may write to."""
    volumes = normalised.get("volumes") or {}
    written = [item for item in normalised["services"][service].get("volumes") or [] if not item.get("read_only")]
    named = {str((volumes.get(item["source"]) or {}).get("name", item["source"])) for item in written
             if item.get("type") == "volume" and item.get("source")}  # fmt: skip
    return frozenset(named | {str(item["source"]) for item in written if item.get("type") == "bind"})


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
    wanted: Iterable[Desired],
    observed: Iterable[Observed],
    accept: Collection[str] = (),
    fresh: Collection[str] = (),
    data: Mapping[str, int] = MappingProxyType({}),
) -> Plan:
    """Return the plan that turns ``observed`` into ``wanted``.

    Args:
        accept: names of stateful services that may be replaced, or removed.
        fresh: names of services that get new containers though nothing changed (``*``: all that hold no data).
        data: services that hold data, as the record of the release that serves knows them, and how many containers.
    """
    by_service: dict[str, list[Observed]] = {}
    for container in observed:
        by_service.setdefault(container.service, []).append(container)
    ordered = _ordered(list(wanted))
    moves = [_move(item, by_service.pop(item.name, []), item.name in accept, _renewed(item, fresh)) for item in ordered]
    taken = _taken(ordered, moves)
    gone = [
        _gone(name, containers, data.get(name), name in accept, taken)
        for name, containers in sorted(by_service.items())
    ]
    return Plan((*moves, *gone))


def _taken(wanted: Iterable[Desired], moves: Iterable[Move]) -> frozenset[str]:
    """Return where services that hold data, and of which there is no container yet, will write."""
    new = {move.service for move in moves if move.kind == "stateful" and move.action == "started" and not move.keep}
    return frozenset(store for item in wanted if item.name in new for store in item.stores)


def _gone(name: str, containers: list[Observed], count: int | None, accepted: bool, taken: Collection[str]) -> Move:
    """Return the move for a service that the release has no more; one that holds data goes only when it is named.

    Where a new service takes its data over (it was renamed), the two must never run at the same time.
    """
    old = tuple(item.id for item in containers)
    if count is None:
        return Move(name, "", "removed", old=old)
    if any(item.stores & set(taken) for item in containers):
        return Move(name, "stateful", "removed", "moved", old=old)
    if accepted:
        return Move(name, "stateful", "removed", old=old)
    as_it_is = Desired(name, "stateful", containers[-1].hash, count)
    return replace(_spared(as_it_is, containers), how="left")


def _renewed(item: Desired, fresh: Collection[str]) -> bool:
    return item.name in fresh or ("*" in fresh and item.kind in ("routed", "worker"))


def _move(wanted: Desired, containers: list[Observed], accepted: bool, renewed: bool) -> Move:
    same = [item for item in containers if item.hash == wanted.hash]
    good = [item for item in same if (item.finished if wanted.kind == "one-shot" else item.well)]
    if len(good) >= wanted.replicas and not renewed:
        return _kept(wanted, containers, good[: wanted.replicas])
    if wanted.kind == "stateful" and containers and not (accepted or renewed):
        return _spared(wanted, containers)
    running = [item for item in containers if item.state == "running"]
    action: Action = "replaced" if running else "started"
    if same and wanted.kind != "one-shot":
        action = "restarted"
    gone = bool(running) and _how(wanted) == "stop-first"
    return Move(wanted.name, wanted.kind, action, _how(wanted), wanted.stop_first, wanted.replicas,
                old=tuple(item.id for item in containers), gap=wanted.gap if gone else 0.0,
                measured=gone and wanted.measured)  # fmt: skip


def _spared(wanted: Desired, containers: list[Observed]) -> Move:
    """Keep the containers of a service that holds data, whatever their state; what is missed of them starts again."""
    up = [item for item in containers if item.state not in _STILL]
    still = [item for item in containers if item.state in _STILL]
    digest = up[-1].hash if up else wanted.hash if any(item.hash == wanted.hash for item in still) else still[-1].hash
    missed = max(wanted.replicas - len(up), 0)
    woken = [item for item in still if item.hash == digest][-missed:] if missed else []
    how: How = "again" if woken and all(item.hash == wanted.hash for item in (*up, *woken)) else "held"
    return Move(wanted.name, wanted.kind, "started" if woken else "unchanged", how,
                keep=tuple(item.id for item in (*up, *woken)), wake=tuple(item.id for item in woken))  # fmt: skip


def _kept(wanted: Desired, containers: list[Observed], good: list[Observed]) -> Move:
    keep = tuple(item.id for item in good)
    surplus = tuple(item.id for item in containers if item.id not in keep)
    return Move(wanted.name, wanted.kind, "unchanged", old=surplus, keep=keep)


def _how(wanted: Desired) -> How:
    if wanted.kind == "one-shot":
        return "run"
    return "start-first" if wanted.kind == "routed" and not wanted.stop_first else "stop-first"


def dropped(plan: Plan, named: Collection[str]) -> list[str]:
    """Return the services that hold data, are no longer part of the release, and that nobody named. Pure."""
    gone = (move for move in plan.moves if move.how == "left" or (move.kind == "stateful" and move.action == "removed"))
    return [move.service for move in gone if move.service not in named]


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
