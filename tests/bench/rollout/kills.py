"""kill -9 of the worker at random moments of roll-outs under load; in between of the proxy and of the engine."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from agent.model.errors import IkomaError
from agent.protocol import Event
from tests.bench.rollout import seen
from tests.bench.rollout.host import Host, Wanted, users
from tests.rig.commands import RigError

BACK_WITHIN: Final = 60.0
ROUNDS: Final = 3
PROXY: Final = "kill -9 $(docker inspect --format '{{.State.Pid}}' ikoma-proxy)"
ENGINE: Final = "kill -9 $(cat /var/run/docker.pid)"
BRISK: Final = {"timeout": 40, "window": 2}
DRAIN: Final = 3


@dataclass
class Kills:
    """The series. ``exact`` is how many containers there are when one release runs, no more and no less."""

    host: Host
    rate: float
    chance: random.Random
    folder: Path
    current: Wanted = field(default_factory=lambda: Wanted().having("website", "kill-0"))
    exact: int = 0
    span: float = 0.0
    ended: list[str] = field(default_factory=list)
    samples: list[Sequence[Any]] = field(default_factory=list)

    def run(self, count: int) -> dict[str, Any]:
        """Kill so many workers, each alive. Raises RigError when what is left is not one whole release."""
        self.host.must(self._deploy(self.current))
        self.exact, outages = self.host.containers(), list[dict[str, Any]]()
        for number, share in enumerate(_shares(count)):
            self._round(number, share)
            outages.append(self._outage("proxy", PROXY))
            if number > 0:
                outages.append(self._outage("engine", ENGINE))
        return seen.summary(self.samples) | {
            "kills": len(self.ended), "ended": dict(Counter(self.ended)), "containers": self.exact,
            "seconds_of_a_roll_out": round(self.span, 1), "outages": outages,
        }  # fmt: skip

    def _round(self, number: int, count: int) -> None:
        file = self.folder / f"kills-{number}.json"
        with users(self.host, 80, self.rate, file):
            self.span = self.span or self._undisturbed()
            wanted = len(self.ended) + count
            for _ in range(5 * count):
                if len(self.ended) == wanted:
                    break
                self._one()
            else:
                raise RigError("the workers were quicker than we")
        self.samples += seen.read(file)[0]

    def _undisturbed(self) -> float:
        began = time.monotonic()
        self._next()
        self.host.must(self._deploy(self.current))
        return time.monotonic() - began

    def _next(self) -> None:
        service = self.chance.choice(["website", "api"])
        self.current = self.current.having(service, f"kill-{self.chance.randrange(16**6):06x}")

    def _one(self) -> None:
        self._next()
        after = self.chance.uniform(0.0, self.span)
        hit, status = self._deploy_killed(after)
        self._whole("after a kill")
        self.host.must(self._deploy(self.current))
        self._whole("after the second run")
        self.ended += [status] if hit else []
        print(f"  {len(self.ended)} after {after:.1f} s: {status if hit else 'missed'}", flush=True)

    def _whole(self, when: str) -> None:
        """Raise unless exactly one release runs, as it was recorded, and answers."""
        if (found := self.host.containers()) != self.exact:
            raise RigError(f"{found} containers instead of {self.exact} {when}")
        verified = self.host.read("artifact.verify_release")
        if not verified["verified"]:
            raise RigError(f"what runs {when} is not what was recorded: {verified}")
        if (status := self.host.stage.ask()[0]) != seen.OK:
            raise RigError(f"the route answers {status} {when}")

    def _deploy(self, wanted: Wanted, on_event: Callable[[Event], None] = lambda _event: None) -> dict[str, Any]:
        return self.host.deploy(wanted, on_event, health=BRISK, drain=DRAIN)

    def _deploy_killed(self, after: float) -> tuple[bool, str]:
        hits, armed = list[bool](), list[threading.Timer]()

        def kill(operation: str) -> None:
            try:
                self.host.inside("sh", "-c", f"kill -9 $(cat /var/lib/ikoma/locks/op-{operation}.lock)")
                hits.append(True)
            except RigError:
                hits.append(False)  # it was quicker than we

        def arm(event: Event) -> None:
            if not armed:
                armed.append(threading.Timer(after, kill, [event.op]))
                armed[0].start()

        status = str(self._deploy(self.current, arm)["status"])
        armed[0].cancel()
        armed[0].join()
        return bool(hits and hits[0]), status

    def _outage(self, what: str, command: str) -> dict[str, Any]:
        """Kill it, nobody else asking; say when all of it stood again, and when the route was last found silent.

        The route is asked between longer checks: a short silence can be missed.
        """
        began, silent = time.monotonic(), 0.0
        self.host.inside("sh", "-c", command)
        while not (self._goes(self._answers) and self._goes(self._stands)):
            past = time.monotonic() - began
            silent = silent if self._goes(self._answers) else past
            if past > BACK_WITHIN:
                raise RigError(f"not everything stands {BACK_WITHIN:.0f} s after a kill of the {what}")
            time.sleep(0.1)
        told = {"killed": what, "silent_until": round(silent, 2), "whole_after": round(time.monotonic() - began, 2)}
        print(f"  {told}", flush=True)
        return told

    def _goes(self, act: Callable[[], None]) -> bool:
        try:
            act()
        except (IkomaError, RigError, OSError, HTTPException):
            return False
        return True

    def _answers(self) -> None:
        if self.host.stage.ask(timeout=2)[0] != seen.OK:
            raise RigError("no answer")

    def _stands(self) -> None:
        self._whole("after an outage")
        if self.host.read("status.get")["status"] != "HEALTHY":
            raise RigError("not healthy")


def _shares(count: int) -> list[int]:
    """Return the number of kills of each round. Pure."""
    return [count // ROUNDS + (number < count % ROUNDS) for number in range(min(ROUNDS, count))]
