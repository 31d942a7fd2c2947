"""When a target may be deployed to, and who must agree.

The rules lie in ``/etc/ikoma/policies.json``, where only root writes: ``{"*": {…}, "<slug>": {…}}`` with ``zone``,
``windows`` and ``approval``. What calls may change, a freeze and approvals, lies with the agent's own state.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from agent.host.clock import now
from agent.host.files import read_json, write_json
from agent.host.flock import Flock
from agent.host.paths import Paths
from agent.model import windows as clock
from agent.model.errors import IkomaError, Misuse
from agent.model.names import Target

ALL: Final = "*"
APPROVAL_VALID: Final = timedelta(hours=24)
REASON: Final = 8
"""Letters that a reason has at least: “x” tells nobody anything."""

_KNOWN: Final = frozenset({"zone", "windows", "approval"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What an administrator decided. ``approval``: a second key must agree to each release."""

    zone: str = "UTC"
    windows: tuple[str, ...] = ()
    approval: bool = False

    def parsed(self) -> list[clock.Window]:
        return [clock.parse(text) for text in self.windows]

    def wall(self, at: datetime) -> datetime:
        """Return the time on the wall of the rules' zone."""
        return at.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True)
class State:
    """What calls changed: the freeze (reason, until, key, since) if there is one, and approvals by release."""

    freeze: dict[str, str] = field(default_factory=dict)
    approvals: dict[str, dict[str, str]] = field(default_factory=dict)


def rules(paths: Paths, target: Target) -> Rules:
    """Return the rules of a target: its own over those for all. Raises ``Misuse("policy.invalid")``."""
    try:
        data = read_json(paths.policies, default={})
        found = {**data.get(ALL, {}), **data.get(target.slug, {})}
        if unknown := found.keys() - _KNOWN:
            raise ValueError(f"unknown key “{sorted(unknown)[0]}”")
        made = Rules(str(found.get("zone", "UTC")), tuple(found.get("windows", ())), bool(found.get("approval", False)))
        made.parsed()
        made.wall(datetime.now(UTC))
    except (ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        raise Misuse("policy.invalid", file=paths.policies, reason=str(error)) from None
    return made


def state(paths: Paths, target: Target) -> State:
    """Return what calls changed for a target."""
    data = read_json(_file(paths, target), default={})
    return State(dict(data.get("freeze") or {}), dict(data.get("approvals") or {}))


def freeze(paths: Paths, target: Target, key: str, reason: str, until: str) -> State:
    """Let nothing be deployed until a time (or until the freeze is lifted, when that is empty)."""
    made = {"reason": reason, "until": until, "key": key, "since": now()}
    return _change(paths, target, lambda found: replace(found, freeze=made))


def thaw(paths: Paths, target: Target) -> State:
    """Lift the freeze."""
    return _change(paths, target, lambda found: replace(found, freeze={}))


def approve(paths: Paths, target: Target, release: str, key: str) -> State:
    """Note that ``key`` agrees to a release; an agreement is good for a day."""
    return _change(
        paths, target, lambda found: replace(found, approvals=_fresh(found) | {release: {"key": key, "at": now()}})
    )


def problems(
    paths: Paths, target: Target, release: str, key: str, override: str, at: datetime | None = None
) -> list[IkomaError]:
    """Return what forbids that ``key`` deploys ``release`` now.

    Args:
        override: the reason for deploying in spite of a window or a freeze. It replaces no approval.
    """
    decided, found, moment = rules(paths, target), state(paths, target), at or datetime.now(UTC)
    reasons: list[IkomaError] = []
    if not override:
        reasons += _closed(decided, moment) + _frozen(found, target, moment)
    if decided.approval and not _approved(found, release, key, moment):
        reasons.append(IkomaError("policy.approval", release=release, key=key, target=target))
    return reasons


def _closed(decided: Rules, moment: datetime) -> list[IkomaError]:
    wall, open_at = decided.wall(moment), decided.parsed()
    if clock.is_open(open_at, wall):
        return []
    opens = clock.next_open(open_at, wall)
    when = opens.strftime("%a %Y-%m-%d %H:%M") if opens else "–"
    return [IkomaError("policy.closed", windows=", ".join(decided.windows), zone=decided.zone, opens=when)]


def _frozen(found: State, target: Target, moment: datetime) -> list[IkomaError]:
    if not found.freeze or _past(found.freeze.get("until", ""), moment):
        return []
    until = found.freeze.get("until") or "…"
    return [
        IkomaError("policy.frozen", target=target, reason=found.freeze["reason"], key=found.freeze["key"], until=until,
                   app=target.app, environment=target.environment)
    ]  # fmt: skip


def _approved(found: State, release: str, key: str, moment: datetime) -> bool:
    given = found.approvals.get(release)
    return given is not None and given["key"] != key and not _past(given["at"], moment - APPROVAL_VALID)


def _past(stamp: str, moment: datetime) -> bool:
    return bool(stamp) and datetime.fromisoformat(stamp.replace("Z", "+00:00")) <= moment


def _fresh(found: State) -> dict[str, dict[str, str]]:
    oldest = datetime.now(UTC) - APPROVAL_VALID
    return {release: given for release, given in found.approvals.items() if not _past(given["at"], oldest)}


def _change(paths: Paths, target: Target, change: Any) -> State:
    file = _file(paths, target)
    file.parent.mkdir(parents=True, exist_ok=True)
    with Flock(paths.locks / "policies.lock"):
        made: State = change(state(paths, target))
        write_json(file, asdict(made))
    return made


def _file(paths: Paths, target: Target) -> Path:
    return paths.state / "policies" / f"{target.slug}.json"
