"""What users saw, counted. Pure but for reading the file that ``load`` wrote."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

AT, TOOK, KIND, STATUS, SERVED, ERROR = range(6)
OK: Final = 200
WEBSOCKET: Final = "websocket"

Samples = Sequence[Sequence[Any]]


def read(file: Path) -> tuple[Samples, dict[str, float]]:
    """Return the samples, and what asking cost: share of a processor, and how late questions were put (ms)."""
    written = json.loads(file.read_text())
    own = written["own"]
    asking = {"processor": round(own["cpu"] / own["seconds"], 3), "late_p99": round(_cut(own["late"], 0.99) * 1000, 1)}
    return written["samples"], asking


def summary(samples: Samples, bad: Collection[str] = ()) -> dict[str, Any]:
    """Return how many asked, how many got no good answer, and who answered that never should.

    Args:
        bad: releases that must serve nobody, as ``service=version``.
    """
    asked = [sample for sample in samples if sample[KIND] != WEBSOCKET]
    failed = [sample for sample in asked if sample[STATUS] != OK]
    return {
        "requests": len(asked),
        "failed": len(failed),
        "failures": dict(Counter(f"{sample[KIND]}: {sample[ERROR] or sample[STATUS]}" for sample in failed)),
        "answered_by_bad": sum(bool(set(bad) & set(str(sample[SERVED]).split())) for sample in asked),
        "milliseconds": _milliseconds([sample for sample in asked if not sample[KIND].startswith("slow")]),
        "slow_milliseconds": _milliseconds([sample for sample in asked if sample[KIND].startswith("slow")]),
        "asked": dict(sorted(Counter(sample[KIND] for sample in asked).items())),
        "websockets": len(samples) - len(asked),
    }


def _milliseconds(asked: Samples) -> dict[str, float]:
    """From when a request was due to the end of its answer; answers that were no good are counted elsewhere."""
    took = sorted(sample[TOOK] * 1000 for sample in asked if sample[STATUS] == OK)
    return {name: round(_cut(took, share), 1) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}


def _cut(values: Sequence[float], share: float) -> float:
    if len(values) < 2 or share >= 1:
        return max(values, default=0.0)
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def first_by(samples: Samples, who: str) -> float:
    """Return when the first good answer of a release was there (``service=version``). Raises ``ValueError``: none."""
    return min(float(sample[AT] + sample[TOOK]) for sample in samples if _by(sample, who))


def last_asked(samples: Samples, who: str) -> float:
    """Return when the last request was due that this release answered. Raises ``ValueError``: none."""
    return max(float(sample[AT]) for sample in samples if _by(sample, who))


def _by(sample: Sequence[Any], who: str) -> bool:
    return bool(sample[KIND] != WEBSOCKET and sample[STATUS] == OK and who in str(sample[SERVED]).split())


def longest_silence(samples: Samples) -> float:
    """Return the longest time in which no good answer came."""
    answered = sorted(sample[AT] + sample[TOOK] for sample in samples if sample[STATUS] == OK)
    return max((after - before for before, after in pairwise(answered)), default=0.0)
