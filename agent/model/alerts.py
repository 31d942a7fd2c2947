"""Alerts between deployments: from what is seen in each round, what is to be said. Pure.

One alert for a change of state, one message when it is over, a reminder a day in between. What comes and goes within
moments is no change: a fault has to last before it is told, and so has its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from agent.model import messages
from agent.model.errors import IkomaError

Kind = Literal["raised", "reminder", "recovered", "ended", "test"]

RAISE: Final[Mapping[str, float]] = {"health": 30.0, "engine": 30.0, "disk": 30.0, "backup": 3600.0}
"""Seconds for which a fault of a sort has to last: a first backup may take its time."""

CLEAR: Final = 60.0
"""Seconds for which all must be well before that is told."""

REMIND: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that is watched, as it is now.

    Attributes:
        subject: ``<sort>:<what>``, such as ``health:shop`` or ``disk:/srv/apps``.
        slug: the target that it is about, empty for the host.
        fault: what is wrong; None when it is well.
    """

    subject: str
    slug: str = ""
    fault: IkomaError | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of a subject. Times are seconds since 1970, 0 for never."""

    slug: str = ""
    bad_since: float = 0.0
    good_since: float = 0.0
    raised: float = 0.0
    told: float = 0.0
    fault: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be said. ``since`` is when the fault began."""

    kind: Kind
    subject: str
    slug: str
    at: float
    since: float
    fault: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def advance(
    known: Mapping[str, Watch], seen: Iterable[Sighting], now: float, gone: Iterable[str] = ()
) -> tuple[dict[str, Watch], list[Notice]]:
    """Return what to remember after a round, and what to say.

    Args:
        seen: what could be judged in this round; about the rest nothing changes.
        gone: subjects that are there no more; they are forgotten without a word.
    """
    after, notices = {subject: watch for subject, watch in known.items() if subject not in set(gone)}, list[Notice]()
    for one in seen:
        watch, notice = _one(after.get(one.subject, Watch()), one, now)
        after[one.subject] = watch
        notices += [notice] if notice else []
    return {subject: watch for subject, watch in after.items() if watch.bad_since}, notices


def _one(watch: Watch, seen: Sighting, now: float) -> tuple[Watch, Notice | None]:
    watch = _not_ahead(replace(watch, slug=seen.slug), now)
    return _bad(watch, seen, seen.fault, now) if seen.fault else _good(watch, seen, now)


def _bad(watch: Watch, seen: Sighting, fault: IkomaError, now: float) -> tuple[Watch, Notice | None]:
    watch = replace(watch, bad_since=watch.bad_since or now, good_since=0.0, fault=fault.id, params=fault.params)
    if not watch.raised and now - watch.bad_since >= RAISE[seen.subject.partition(":")[0]]:
        return replace(watch, raised=now, told=now), _notice("raised", watch, seen, now)
    if watch.raised and now - watch.told >= REMIND:
        return replace(watch, told=now), _notice("reminder", watch, seen, now)
    return watch, None


def _good(watch: Watch, seen: Sighting, now: float) -> tuple[Watch, Notice | None]:
    if not watch.raised:
        return Watch(), None
    watch = replace(watch, good_since=watch.good_since or now)
    if now - watch.good_since < CLEAR:
        return watch, None
    return Watch(), _notice("recovered", watch, seen, now)


def _notice(kind: Kind, watch: Watch, seen: Sighting, now: float) -> Notice:
    return Notice(kind, seen.subject, seen.slug, now, watch.bad_since, watch.fault, watch.params)


def _not_ahead(watch: Watch, now: float) -> Watch:
    """A clock that was set back must not silence anything: no time that is remembered lies ahead of it."""
    times = {name: min(getattr(watch, name), now) for name in ("bad_since", "good_since", "raised", "told")}
    return replace(watch, **times)


def deployed(slug: str, capability: str, key: str, result: Mapping[str, Any], now: float) -> Notice | None:
    """Return what is said of a deployment that ended; nothing of one that had nothing to do."""
    if not result.get("steps"):
        return None
    error = result.get("error") or {}
    params = {
        "slug": slug, "capability": capability, "key": key, "status": result.get("status", ""),
        "release": result.get("release") or "–", "target": slug, "step": error.get("step") or "-",
        "error": error.get("message", ""),
    }  # fmt: skip
    fault = f"operation.end.{str(result.get('status', '')).lower()}"
    return Notice("ended", f"deploy:{slug}", slug, now, now, fault, params)


def said(notice: Notice, host: str, lang: str) -> tuple[str, str]:
    """Return title and text of a notice for people."""
    params: dict[str, Any] = {"host": host, "subject": _name(notice, lang), "since": _time(notice.since)}
    title = messages.text(f"alert.title.{notice.kind}", params | notice.params, lang)
    fault, remedy = (ask(notice.fault, notice.params, lang) for ask in (messages.text, messages.remedy))
    first = {"recovered": "alert.recovered", "test": "alert.test", "ended": "alert.ended"}.get(
        notice.kind, "alert.since"
    )
    params |= {"minutes": int((notice.at - notice.since) // 60)} | notice.params
    lines = [messages.text(first, params, lang)]
    if notice.fault:
        lines.append(fault)
    if notice.kind == "ended" and notice.params["error"]:
        lines.append(str(notice.params["error"]))
    if notice.kind in ("raised", "reminder") and remedy:
        lines.append(remedy)
    return title, "\n".join(lines)


def _name(notice: Notice, lang: str) -> str:
    sort, _, what = notice.subject.partition(":")
    return messages.text(f"alert.subject.{sort}", {"what": what}, lang) if sort else ""


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
