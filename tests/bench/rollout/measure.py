"""``scripts/bench rollout``: what users notice of good and bad releases, of a rollback, and of a killed worker."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.model.errors import IkomaError
from agent.protocol import Event
from tests.bench import paired
from tests.bench.rollout import contenders, plot
from tests.bench.rollout.contenders import Plain, Rollout
from tests.bench.rollout.host import Host, Wanted, users
from tests.rig.commands import RigError

BAD: Final = ("falls ill", "exits", "flaps", "grows")
"""Answers 500 on its health check after 3 s; ends at once, without a restart; wavers; uses more memory than it may."""

HANGS: Final = "hangs"
"""Good, until it is asked to stop: it does not."""

RATE: Final = 200.0
SETTLE: Final = 2.0


@dataclass(frozen=True)
class Turn:
    """One roll-out of the series: what is wanted, and whether it must fail."""

    service: str
    version: str
    behaviour: str

    @property
    def bad(self) -> bool:
        return self.behaviour in BAD


def series(count: int, seed: int) -> list[Turn]:
    """Return good and bad releases of both services, in an order that ``seed`` decides; each bad kind occurs. Pure."""
    chance = random.Random(seed)
    kinds = [*BAD, HANGS, *chance.choices(BAD, k=max(0, count // 3 - len(BAD)))]
    kinds = [*kinds, *["good"] * (count - len(kinds))][:count]
    chance.shuffle(kinds)
    turns = []
    for number, kind in enumerate(kinds, 1):
        service = "website" if kind == HANGS else chance.choice(["website", "api"])
        turns.append(Turn(service, f"{number}-{kind.replace(' ', '-')}", kind))
    return turns


class Measurement:
    """All of it, on one host."""

    def __init__(self, count: int, seed: int, rate: float, rollout_script: Path | None) -> None:
        self.turns, self.seed, self.rate, self.script = series(count, seed), seed, rate, rollout_script
        self.folder = Path(tempfile.mkdtemp(prefix="bench-rollout-"))
        self.host = Host()
        self.rows: list[plot.Row] = []

    def run(self, kills: int, keep: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Measure everything; ``keep`` is given the facts each time there are more. Return them all."""
        facts: dict[str, Any] = {"seed": self.seed, "rate": self.rate, "turns": [turn.version for turn in self.turns]}
        facts |= {"ours": self.ours(), "rollback": self.rollback(), "others": [], "kills": None}
        keep(facts)
        self.host.perform("deploy.down")
        others = [Plain(self.host), *([Rollout(self.host, self.script)] if self.script else [])]
        for contender in others:
            facts["others"].append(self.other(contender))
            keep(facts)
        self.host.perform("deploy.up")
        if kills:
            facts["kills"] = self.killed(kills)
            keep(facts)
        return facts

    def ours(self) -> dict[str, Any]:
        """Roll the series out through the agent."""
        current = Wanted()
        self._must(self.host.deploy(current))

        def replace(before: Wanted, wanted: Wanted, bad: bool) -> str:
            result = self.host.deploy(wanted)
            if (result["status"] != "HEALTHY") != bad:
                raise RigError(f"a {'bad' if bad else 'good'} release ended {result['status']}: {result['error']}")
            return str(result["status"])

        found = self._series("ikoma", 80, current, replace)
        return found | {"containers": self.host.containers()}

    def other(self, contender: Plain) -> dict[str, Any]:
        """Roll the same series out with something else."""
        contender.start(Wanted())
        try:
            return self._series(contender.name, contenders.PORT, Wanted(), contender.replace)
        finally:
            contender.down()

    def _series(
        self, name: str, port: int, current: Wanted, replace: Callable[[Wanted, Wanted, bool], str]
    ) -> dict[str, Any]:
        print(f"\n{name}: {len(self.turns)} releases at {self.rate:.0f} requests a second", flush=True)
        file, bands = self.folder / f"{port}-{len(self.rows)}.json", []
        with users(self.host, port, self.rate, file):
            began = time.monotonic()
            time.sleep(SETTLE)
            for turn in self.turns:
                wanted, start = current.having(turn.service, turn.version, turn.behaviour), time.monotonic() - began
                said = replace(current, wanted, turn.bad)
                bands.append((start, time.monotonic() - began, said))
                print(f"  {turn.version:<16} {turn.service:<8} {said} {bands[-1][1] - start:.1f} s", flush=True)
                current = current if turn.bad else wanted
            time.sleep(SETTLE)
        samples = json.loads(file.read_text())
        self.rows.append((name, samples, bands))
        return summary(samples, self.turns) | {"contender": name, "seconds": [round(b - a, 2) for a, b, _ in bands],
                                               "ended": [said for _, _, said in bands]}  # fmt: skip

    def rollback(self) -> dict[str, Any]:
        """Go back to the release before the one before, the registry gone, and time what users see."""
        for version in ("back-a", "back-b", "back-c"):
            self._must(self.host.deploy(Wanted().having("website", version)))
        wanted = self.host.read("apps.releases")["releases"][2]["release"]
        file = self.folder / "rollback.json"
        with self.host.registry_down(), users(self.host, 80, self.rate, file):
            began = time.monotonic()
            time.sleep(SETTLE)
            start = time.monotonic() - began
            result = self._must(self.host.perform("deploy.rollback", to=wanted))
            end = time.monotonic() - began
            time.sleep(SETTLE)
        samples = json.loads(file.read_text())
        first = min(at + took for at, took, _, status, served, _ in samples
                    if status == 200 and "website=back-a" in served)  # fmt: skip
        found = summary(samples, [])
        steps = {step["name"]: step["seconds"] for step in result["steps"]}
        print(f"\nrollback: users saw it after {first - start:.1f} s, ended after {end - start:.1f} s {steps}")
        return found | {"seen_after": round(first - start, 2), "ended_after": round(end - start, 2), "steps": steps}

    def killed(self, count: int) -> dict[str, Any]:
        """Kill the worker at a random moment of each of so many roll-outs, under load; then run it again."""
        chance, current, ends = random.Random(self.seed), Wanted().having("website", "kill-0"), list[str]()
        self._must(self.host.deploy(current))
        exact, file = self.host.containers(), self.folder / "kills.json"
        print(f"\n{count} workers killed", flush=True)
        with users(self.host, 80, self.rate, file):
            for number in range(1, count + 1):
                wanted = current.having(chance.choice(["website", "api"]), f"kill-{number}")
                ends.append(str(self._deploy_killed(wanted, chance.uniform(0.2, 12.0))["status"]))
                self._must(self.host.deploy(wanted))
                if (found := self.host.containers()) != exact:
                    raise RigError(f"{found} containers instead of {exact} after kill {number}")
                current = wanted
                print(f"  {number}/{count} {ends[-1]}", flush=True)
        return summary(json.loads(file.read_text()), []) | {"ended": dict(Counter(ends)), "containers": exact}

    def _deploy_killed(self, wanted: Wanted, after: float) -> dict[str, Any]:
        armed: list[threading.Timer] = []

        def kill(operation: str) -> None:
            with suppress(RigError):  # it was quicker than we
                self.host.inside("sh", "-c", f"kill -9 $(cat /var/lib/ikoma/locks/op-{operation}.lock)")

        def arm(event: Event) -> None:
            if not armed:
                armed.append(threading.Timer(after, kill, [event.op]))
                armed[0].start()

        try:
            return self.host.deploy(wanted, arm)
        finally:
            armed[0].cancel()
            armed[0].join()

    def _must(self, result: dict[str, Any]) -> dict[str, Any]:
        if result["status"] != "HEALTHY":
            raise RigError(f"a good release ended {result['status']}: {result['error']}")
        return result


def summary(samples: Sequence[Sequence[Any]], turns: Sequence[Turn]) -> dict[str, Any]:
    """Return what users saw: how many asked, how many got no good answer, and who answered that never should. Pure."""
    asked = [sample for sample in samples if sample[2] != "websocket"]
    failed = [sample for sample in asked if sample[3] != 200]
    bad = {f"{turn.service}={turn.version}" for turn in turns if turn.bad}
    quick = sorted(sample[1] * 1000 for sample in asked if sample[3] == 200 and sample[2] != "slow")
    cuts = statistics.quantiles(quick, n=1000, method="inclusive") if len(quick) > 1 else [0.0] * 999
    return {
        "requests": len(asked),
        "failed": len(failed),
        "failures": dict(Counter(f"{kind}: {error or status}" for _, _, kind, status, _, error in failed)),
        "answered_by_bad": sum(bool(bad & set(str(sample[4]).split())) for sample in asked),
        "milliseconds": {
            "p50": round(cuts[499], 1),
            "p99": round(cuts[989], 1),
            "max": round(max(quick, default=0), 1),
        },
        "websockets": sum(sample[2] == "websocket" for sample in samples),
    }


def measure(count: int, seed: int, rate: float, kills: int, script: Path | None) -> None:
    """Measure and write docs/results/rollout.json and rollout.svg. Raises RigError when something must not be so."""
    measurement = Measurement(count, seed, rate, script)

    def keep(facts: dict[str, Any]) -> None:
        path = paired.write("rollout", facts)
        title = f"{count} releases at {rate:.0f} requests a second: answered (blue) and failed (red)"
        path.with_suffix(".svg").write_text(plot.svg(measurement.rows, title))

    try:
        facts = measurement.run(kills, keep)
    except IkomaError as error:
        raise RigError(str(error)) from error
    print("\nwritten to docs/results/rollout.json and rollout.svg")
    ours = facts["ours"]
    if ours["failed"] or ours["answered_by_bad"]:
        raise RigError(f"users noticed: {ours['failures']}, {ours['answered_by_bad']} answers by bad releases")
