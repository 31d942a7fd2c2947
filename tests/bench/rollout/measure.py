"""``scripts/bench rollout``: what users notice of good and bad releases, of a rollback, and of a killed worker."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.model.errors import IkomaError
from tests.bench import paired
from tests.bench.rollout import back, contenders, plot, seen
from tests.bench.rollout.contenders import Plain, Rollout
from tests.bench.rollout.host import Host, Wanted, users
from tests.bench.rollout.kills import Kills
from tests.rig.commands import RigError

BAD: Final = ("falls ill", "exits", "flaps", "grows")
"""Answers 500 on its health check after 3 s; ends at once, without a restart; wavers; uses more memory than it may."""

HANGS: Final = "hangs"
"""Good, until it is asked to stop: it does not."""

RATE: Final = 200.0
PARTS: Final = ("switch", "back", "kills")
"""The series beside other tools (rollout.json, rollout.svg), going back (rollback.json), kill -9 (kills.json)."""

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

    def __init__(self, turns: list[Turn], beside: int, rate: float, rollout_script: Path | None) -> None:
        self.turns, self.beside, self.rate, self.script = turns, turns[:beside], rate, rollout_script
        self.folder = Path(tempfile.mkdtemp(prefix="bench-rollout-"))
        self.host = Host()
        self.host.weigh()
        self.rows: list[plot.Row] = []

    def switch(self, keep: Callable[[dict[str, Any]], None]) -> None:
        """Roll the series out with each tool; ``keep`` is given the facts each time there are more."""
        facts: dict[str, Any] = {"turns": [f"{turn.version} ({turn.service})" for turn in self.turns]}
        facts |= {"ours": self.ours(), "others": []}
        keep(facts)
        self.host.perform("deploy.down")
        for contender in [Plain(self.host), *([Rollout(self.host, self.script)] if self.script else [])]:
            facts["others"].append(self.other(contender))
            keep(facts)
        self.host.perform("deploy.up")

    def ours(self) -> dict[str, Any]:
        """Roll the series out through the agent."""
        current = Wanted()
        self.host.must(self.host.deploy(current))

        def replace(before: Wanted, wanted: Wanted, bad: bool) -> str:
            result = self.host.deploy(wanted)
            if (result["status"] != "HEALTHY") != bad:
                raise RigError(f"a {'bad' if bad else 'good'} release ended {result['status']}: {result['error']}")
            return str(result["status"])

        found = self._series("ikoma", 80, self.turns, current, replace)
        return found | {"containers": self.host.containers()}

    def other(self, contender: Plain) -> dict[str, Any]:
        """Roll the same series out, or its beginning, with something else."""
        contender.start(Wanted())
        try:
            return self._series(contender.name, contenders.PORT, self.beside, Wanted(), contender.replace)
        finally:
            contender.down()

    def _series(
        self, name: str, port: int, turns: list[Turn], current: Wanted, replace: Callable[[Wanted, Wanted, bool], str]
    ) -> dict[str, Any]:
        print(f"\n{name}: {len(turns)} releases at {self.rate:.0f} requests a second", flush=True)
        file, bands = self.folder / f"{port}-{len(self.rows)}.json", []
        with users(self.host, port, self.rate, file):
            began = time.monotonic()
            time.sleep(SETTLE)
            for turn in turns:
                wanted, start = current.having(turn.service, turn.version, turn.behaviour), time.monotonic() - began
                said = replace(current, wanted, turn.bad)
                bands.append((start, time.monotonic() - began, said))
                print(f"  {turn.version:<16} {turn.service:<8} {said} {bands[-1][1] - start:.1f} s", flush=True)
                current = current if turn.bad else wanted
            time.sleep(SETTLE)
        samples, asking = seen.read(file)
        self.rows.append((name, samples, bands))
        told = {"contender": name, "releases": len(turns), "asking": asking,
                "seconds": [round(end - start, 2) for start, end, _ in bands],
                "ended": [said for _, _, said in bands]}  # fmt: skip
        bad = {f"{turn.service}={turn.version}" for turn in turns if turn.bad}
        return seen.summary(samples, bad) | told


def measure(
    count: int, beside: int, seed: int, rate: float, kills: int, script: Path | None, parts: Collection[str] = PARTS
) -> None:  # fmt: skip
    """Measure and write docs/results/. Raises RigError when something must not be so."""
    try:
        measurement = Measurement(series(count, seed), beside, rate, script)
        asked = {"seed": seed, "rate": rate}
        if "switch" in parts:
            _switch(measurement, asked)
        if "back" in parts:
            paired.write("rollback", asked | back.rollbacks(measurement.host, rate, measurement.folder))
        if "kills" in parts:
            series_of_kills = Kills(measurement.host, rate, random.Random(seed), measurement.folder)
            paired.write("kills", asked | series_of_kills.run(kills))
    except IkomaError as error:
        raise RigError(str(error)) from error


def _switch(measurement: Measurement, asked: dict[str, Any]) -> None:
    kept: dict[str, Any] = {}

    def keep(facts: dict[str, Any]) -> None:
        kept.update(facts)
        path = paired.write("rollout", asked | facts)
        title = f"{len(measurement.turns)} releases at {measurement.rate:.0f} requests a second"
        path.with_suffix(".svg").write_text(plot.svg(measurement.rows, f"{title}: answered (blue) and failed (red)"))

    measurement.switch(keep)
    ours = kept["ours"]
    if ours["failed"] or ours["answered_by_bad"]:
        raise RigError(f"users noticed: {ours['failures']}, {ours['answered_by_bad']} answers by bad releases")
