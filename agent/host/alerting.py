"""Alerts as the host keeps them: to whom they go (0600, addresses are secrets), what is watched, what is to be sent."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from agent.host import hashkey
from agent.host.files import read_json, write_json
from agent.host.flock import Flock
from agent.host.paths import Paths
from agent.model.alerts import Notice, Watch
from agent.model.errors import Misuse
from agent.model.messages import LANGUAGES
from agent.model.secret import Secret

SORTS: Final = frozenset(
    {"discord", "form", "forms", "googlechat", "gotify", "gotifys", "json", "jsons", "mailto", "mailtos", "matrix",
     "matrixs", "mmost", "mmosts", "msteams", "ntfy", "ntfys", "opsgenie", "pagerduty", "rocket", "rockets", "slack",
     "tgram", "workflow", "workflows", "xml", "xmls"}
)  # fmt: skip
"""What an address may begin with: services and servers elsewhere. Nothing that acts on this host itself."""

MOST: Final = 10
_MOST_WAITING: Final = 100
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Receiver:
    """One address. ``sort`` and ``mark`` may be shown; equal marks mean equal addresses on this host."""

    url: Secret
    sort: str
    mark: str

    def to_json(self) -> dict[str, str]:
        """Return what may be shown."""
        return {"sort": self.sort, "mark": self.mark}


@dataclass(frozen=True, slots=True)
class State:
    """What is watched, what waits, what could not be sent (mark → time and count), how far ends were read."""

    watches: dict[str, Watch] = field(default_factory=dict)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)


def receivers(paths: Paths) -> list[Receiver]:
    """Return to whom alerts go; nobody before somebody said so."""
    stored = read_json(paths.alerts, default={})
    return [_receiver(paths, url) for url in stored.get("urls", [])]


def language(paths: Paths) -> str:
    """Return the language of alerts."""
    found = read_json(paths.alerts, default={}).get("lang")
    return found if found in LANGUAGES else "en"


def tells_deployments(paths: Paths) -> bool:
    """Whether the end of each deployment is told as well."""
    return bool(read_json(paths.alerts, default={}).get("deployments", True))


def store(paths: Paths, text: str, lang: str, deployments: bool = True) -> list[Receiver]:
    """Keep the addresses in ``text``, one a line, in place of those before; return them.

    Raises:
        Misuse: ``alert.many``, ``alert.address`` naming the line, never what stands in it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > MOST:
        raise Misuse("alert.many", most=MOST)
    if not lines:  # nobody is told: nobody looks either
        for file in (paths.alerts, paths.alert_state):
            file.unlink(missing_ok=True)
    found = [_checked(paths, number, line) for number, line in enumerate(lines, 1)]
    if found:
        write_json(paths.alerts, {"urls": lines, "lang": lang, "deployments": deployments}, 0o600)
    return found


def _checked(paths: Paths, number: int, line: str) -> Receiver:
    sort, colon, _ = line.partition("://")
    if not colon or sort.lower() not in SORTS or len(line) > _LONGEST or not line.isprintable():
        raise Misuse("alert.address", number=number, sorts=", ".join(sorted(SORTS)))
    return _receiver(paths, line)


def _receiver(paths: Paths, url: str) -> Receiver:
    mark = hmac.new(hashkey.load(paths), b"alert\0" + url.encode(), hashlib.sha256).hexdigest()[:8]
    return Receiver(Secret(url), urlsplit(url).scheme, mark)


@contextlib.contextmanager
def changing(paths: Paths) -> Iterator[State]:
    """Give the state to be changed in place, and store it at the end; nobody else changes it meanwhile."""
    with Flock(paths.locks / "alerts.lock"):
        found = state(paths)
        before = _json(found)
        yield found
        del found.waiting[:-_MOST_WAITING]
        if (after := _json(found)) != before:
            write_json(paths.alert_state, after, 0o640)


def state(paths: Paths) -> State:
    """Return what is stored. A file that somebody damaged counts as none: alerts stop no host."""
    try:
        data = read_json(paths.alert_state, default={})
        watches = {str(subject): Watch(**watch) for subject, watch in data.get("watches", {}).items()}
        return State(watches, list(data.get("waiting", [])), dict(data.get("failures", {})), dict(data.get("seen", {})))
    except (ValueError, TypeError, AttributeError):
        return State()


def wait(found: State, notices: list[Notice], marks: list[str]) -> None:
    """Put notices in line for all receivers."""
    found.waiting.extend({**asdict(one), "left": marks, "tries": 0, "next": one.at} for one in notices if marks)


def _json(found: State) -> dict[str, Any]:
    watches = {subject: watch.to_json() for subject, watch in found.watches.items()}
    return {
        "watches": watches,
        "waiting": list(found.waiting),
        "failures": dict(found.failures),
        "seen": dict(found.seen),
    }
