"""Two things measured in turns, so that whatever else the machine does hits both alike."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.rig.commands import run
from tests.rig.state import CHECKOUT

RESULTS = CHECKOUT / "docs/results"


def pairs(ours: Callable[[], None], theirs: Callable[[], None], count: int, seed: int) -> list[dict[str, float]]:
    """Measure both ``count`` times, in an order that ``seed`` decides; seconds of wall time, pair by pair."""
    chance, measured = random.Random(seed), []
    for number in range(count):
        first_ours = chance.random() < 0.5
        times = {}
        for name, work in [("ours", ours), ("theirs", theirs)] if first_ours else [("theirs", theirs), ("ours", ours)]:
            times[name] = _seconds(work)
        measured.append(times)
        print(f"  {number + 1:>3}/{count}  ours {times['ours']:.3f} s  theirs {times['theirs']:.3f} s", flush=True)
    return measured


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 4)


def summary(measured: list[dict[str, float]]) -> dict[str, Any]:
    """Return medians, quartiles and the median of the pairs' ratios."""
    columns = {name: [times[name] for times in measured] for name in ("ours", "theirs")}
    return {
        **{name: spread(values) for name, values in columns.items()},
        "ratio": round(statistics.median(times["ours"] / times["theirs"] for times in measured), 3),
        "ours_faster_in": sum(times["ours"] < times["theirs"] for times in measured),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Return median, quartiles and minimum."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": round(middle, 3), "q1": round(low, 3), "q3": round(high, 3), "min": min(values)}


def write(name: str, facts: dict[str, Any]) -> Path:
    """Write a result with what one needs to repeat it: commit, machine, load."""
    git = ["git", "-C", str(CHECKOUT)]
    about = {
        "commit": run([*git, "rev-parse", "HEAD"]).strip(),
        "dirty": bool(run([*git, "status", "--porcelain", "--untracked-files=no"]).strip()),
        "cpus": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "kernel": platform.release(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"bench": name, **facts, "about": about}, indent=2) + "\n")
    return path
