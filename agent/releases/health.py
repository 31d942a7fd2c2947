"""The gate: a set of containers passes whole, or the first one that cannot pass is named with its last lines.

``docker compose up --wait`` is no gate: it calls a crash loop healthy. Here a container is ready when its health
check (if it has one) and its probe (if one is stated) agree; once all are ready, all must stay up, in the same process,
through a stability window.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

from agent.docker.engine import Engine
from agent.model.contract import Health, Probe
from agent.model.errors import IkomaError
from agent.model.secret import Redactor

POLL: Final = 0.1
PROBE_EVERY: Final = 0.3
IN_A_ROW: Final = 3
LAST_LINES: Final = 20
WAVERING: Final = "health.wavering"
"""Healthy by the Engine's count, but the last check failed: the window begins anew."""

LONGEST_INTERVAL: Final = 5.0
PROVEN_WINDOW: Final = 1.0
"""Seconds for which a release that was healthy on this host before must stay up when it is gone back to."""

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One container to be watched.

    ``fresh``: it has just been made, so that any restart counts. An older one may have restarted long ago.
    """

    container: str
    service: str
    probe: Probe | None = None
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at a container says: it is ready, it may become so, or it never will (an id and its facts)."""

    state: Literal["ready", "waiting", "failed"]
    id: str = ""
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Life:
    """What must not change while a container is watched."""

    pid: int
    started: str
    restarts: int

    @classmethod
    def of(cls, inspected: dict[str, Any]) -> Life:
        state = inspected["State"]
        return cls(int(state["Pid"]), str(state["StartedAt"]), int(inspected.get("RestartCount", 0)))


def look(inspected: dict[str, Any] | None, first: Life | None, fresh: bool = True) -> Verdict:
    """Judge one container by what the Engine says of it. Pure.

    Args:
        inspected: the Engine's description; None when it is gone.
        first: its life when the watch began; None at the first look.
        fresh: it was made just now: it must never have restarted.
    """
    if inspected is None:
        return Verdict("failed", "health.gone")
    state, restarts = inspected["State"], int(inspected.get("RestartCount", 0))
    allowed = first.restarts if first else 0 if fresh else restarts
    if state.get("OOMKilled"):
        return Verdict("failed", "health.memory")
    if state["Status"] in ("exited", "dead"):
        return Verdict("failed", "health.exited", {"code": state["ExitCode"]})
    if state["Status"] == "restarting" or restarts > allowed:
        return Verdict("failed", "health.restarts", {"code": _code(state)})
    if state["Status"] != "running":
        return Verdict("waiting", "health.not_running", {"state": state["Status"]})
    if first is not None and (first.pid, first.started) != (Life.of(inspected).pid, Life.of(inspected).started):
        return Verdict("failed", "health.restarts", {"code": _code(state)})
    return _declared(state.get("Health"))


def _code(state: dict[str, Any]) -> str:
    """The exit code of the last run; the Engine forgets it as soon as the next run begins."""
    return "?" if state["Status"] == "running" else str(state["ExitCode"])


def _declared(health: dict[str, Any] | None) -> Verdict:
    if not health or health.get("Status") == "none":
        return Verdict("ready")
    last = (health.get("Log") or [{}])[-1]
    said = str(last.get("Output") or "").strip()[-300:] or _silent(last)
    if health["Status"] == "healthy":
        return Verdict("waiting", WAVERING, {"said": said}) if health.get("FailingStreak") else Verdict("ready")
    if health["Status"] == "unhealthy":
        return Verdict("failed", "health.unhealthy", {"said": said})
    return Verdict("waiting", "health.starting", {"said": said})


def _silent(last: dict[str, Any]) -> str:
    """What is left of a check that printed nothing: how it ended."""
    return f"code {last['ExitCode']}" if "ExitCode" in last else "–"


def addresses(inspected: dict[str, Any]) -> list[str]:
    """Return the addresses at which this host reaches a container."""
    networks = inspected["NetworkSettings"]["Networks"].values()
    return [network["IPAddress"] for network in networks if network.get("IPAddress")]


def interval(inspected: dict[str, Any]) -> float:
    """Return the seconds between two health checks; 0 without a health check."""
    declared = inspected["Config"].get("Healthcheck") or {}
    if not inspected["State"].get("Health"):
        return 0.0
    return float(declared.get("Interval") or 30e9) / 1e9


def port_of(probe: Probe, inspected: dict[str, Any]) -> int:
    """Return the port to ask: the stated one, or the only one exposed, or 80."""
    exposed = sorted(int(name.partition("/")[0]) for name in inspected["Config"].get("ExposedPorts") or {})
    return probe.port or (exposed[0] if exposed else 80)


def right(probe: Probe, status: int) -> bool:
    """Say whether a status is the one that a probe expects. Pure."""
    return status == probe.status if probe.status else 200 <= status < 400


def answer(probe: Probe, status: int, body: str) -> Verdict:
    """Judge an answer to a probe. Pure."""
    if right(probe, status) and probe.contains in body:
        return Verdict("ready")
    return Verdict("waiting", "health.probe", {"path": probe.path, "said": f"HTTP {status} {body[:120].strip()}"})


def ask(probe: Probe, inspected: dict[str, Any]) -> Verdict:
    """Ask a container on its own address."""
    found = addresses(inspected)
    if not found:
        return Verdict("waiting", "health.probe", {"path": probe.path, "said": "no address"})
    connection = http.client.HTTPConnection(found[0], port_of(probe, inspected), timeout=probe.timeout)
    try:
        connection.request("GET", probe.path, headers={"Host": "localhost", "User-Agent": "ikoma-probe"})
        response = connection.getresponse()
        return answer(probe, response.status, response.read(65536).decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        return Verdict("waiting", "health.probe", {"path": probe.path, "said": str(error) or type(error).__name__})
    finally:
        connection.close()


class _Watch:
    """One container under watch."""

    def __init__(self, engine: Engine, check: Check) -> None:
        self.engine, self.check = engine, check
        self.first: Life | None = None
        self.verdict = Verdict("waiting", "health.not_running", {"state": "created"})
        self.interval = 0.0
        self._row, self._asked, self._probe = 0, 0.0, Verdict("waiting")

    @property
    def ready(self) -> bool:
        return self.verdict.state == "ready"

    def turn(self) -> Verdict:
        """Look once."""
        inspected = self.engine.container(self.check.container)
        self.verdict = look(inspected, self.first, self.check.fresh)
        if inspected is not None and self.first is None and inspected["State"]["Status"] == "running":
            self.first, self.interval = Life.of(inspected), interval(inspected)
        if self.ready and self.check.probe is not None and inspected is not None:
            self.verdict = self._ask(self.check.probe, inspected)
        return self.verdict

    def _ask(self, probe: Probe, inspected: dict[str, Any]) -> Verdict:
        now = time.monotonic()
        if now - self._asked >= (POLL if self._row < IN_A_ROW else PROBE_EVERY):
            self._probe, self._asked = ask(probe, inspected), now
            self._row = self._row + 1 if self._probe.state == "ready" else 0
        if self._probe.state == "ready" and self._row < IN_A_ROW:
            return Verdict("waiting", "health.probe", {"path": probe.path, "said": "first answers"})
        return self._probe


def gate(engine: Engine, checks: Sequence[Check], health: Health, redact: Redactor, *, proven: bool = False) -> None:
    """Wait until all containers are ready and have stayed so through the window.

    Args:
        proven: the same release was healthy here before, and users wait for it: a short window will do.

    Raises:
        IkomaError: ``health.…`` naming the service, the reason and its last log lines, at the first container that
            cannot pass any more, or at the timeout.
    """
    watches = [_Watch(engine, check) for check in checks]
    deadline = time.monotonic() + health.timeout
    window = partial(_window, health, watches, proven)
    stable_since: float | None = None
    while watches:
        for watch in watches:
            if watch.turn().state == "failed":
                raise failure(engine, watch.check, watch.verdict, redact)
        now, late = time.monotonic(), [watch for watch in watches if not watch.ready]
        _no_relapse(engine, late, stable_since is not None, redact)
        if late and now > deadline:
            raise _too_late(engine, late[0], health, redact)
        if late:
            stable_since = None
        elif stable_since is None:
            stable_since = now
        elif now - stable_since >= window():
            return
        time.sleep(POLL)


def _no_relapse(engine: Engine, late: list[_Watch], window: bool, redact: Redactor) -> None:
    """Inside the window nothing may fall back from ready; one failed check alone only starts it again."""
    relapsed = [watch for watch in late if watch.verdict.id != WAVERING]
    if relapsed and window:
        verdict = Verdict("failed", "health.relapse", _said(relapsed[0].verdict))
        raise failure(engine, relapsed[0].check, verdict, redact)


def _window(health: Health, watches: Sequence[_Watch], proven: bool) -> float:
    """The window, and at least two health checks (of a container that is asked often enough); none stays none."""
    if proven:
        return min(health.window, PROVEN_WINDOW)
    slowest = max(min(watch.interval, LONGEST_INTERVAL) for watch in watches)
    return max(health.window, 2 * slowest) if health.window else 0.0


def _too_late(engine: Engine, watch: _Watch, health: Health, redact: Redactor) -> IkomaError:
    params = {"seconds": int(health.timeout), **_said(watch.verdict)}
    return failure(engine, watch.check, Verdict("failed", "health.timeout", params), redact)


def _said(verdict: Verdict) -> dict[str, str]:
    return {"said": str(verdict.params.get("said") or verdict.params.get("state") or "–")}


def failure(engine: Engine, check: Check, verdict: Verdict, redact: Redactor) -> IkomaError:
    """Return the error for a container that did not pass, with the last lines it wrote."""
    try:
        lines = engine.logs(check.container, LAST_LINES)
    except IkomaError:
        lines = []
    params: dict[str, Any] = {key: redact(str(value)) for key, value in verdict.params.items()}
    log = "\n".join(redact(plain(line)) for line in lines) or "–"
    return IkomaError(verdict.id, service=check.service, log=log, **params)


def plain(line: str) -> str:
    """Return a line of foreign output without control characters and no longer than a screen is wide, twice."""
    return "".join(letter for letter in line if letter.isprintable() or letter == "\t")[:240]
