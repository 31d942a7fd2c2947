"""The steps of a deployment as a Mermaid diagram. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bridge.reports.model import DeploymentReport, StageReport

_TAGS: Final = {"failed": "crit", "undone": "crit", "done": "done", "": "done"}
_MOST: Final = 60
# What a line of such a diagram may begin with besides the name of a bar.
_KEYWORD: Final = re.compile(
    r"title|section|dateFormat|axisFormat|tickInterval|includes|excludes|todayMarker|week(day|end)|click|gantt|acc|"
    r"inclusiveEndDates|topAxis|displayMode",
    re.IGNORECASE,
)


class Bar(NamedTuple):
    """One bar: seconds from the start of the whole."""

    section: str
    name: str
    status: str
    begin: float
    end: float


def bars(report: DeploymentReport) -> list[Bar]:
    """Return the stages of this side and the steps of the host on one axis; what was skipped took no time.

    The journal tells how long each step took. The steps follow each other and end together with the stage ``deploy``;
    what is left before them was spent waiting.
    """
    stages = list(_lined_up("bridge", [("", stage) for stage in report["stages"]], 0.0))
    total = sum(step["seconds"] for step in report["steps"])
    deploy = next((bar for bar in stages if bar.name == "deploy"), None)
    begin = max(deploy.begin, deploy.end - total) if deploy else 0.0
    steps = [(step["status"], StageReport(name=step["name"], seconds=step["seconds"])) for step in report["steps"]
             if step["status"] != "skipped"]  # fmt: skip
    return [*stages, *_lined_up("host", steps, begin)]


def _lined_up(section: str, items: Sequence[tuple[str, StageReport]], begin: float) -> Iterator[Bar]:
    for status, item in items:
        end = begin + max(0.0, item["seconds"])
        yield Bar(section, item["name"], status, begin, end)
        begin = end


def gantt(report: DeploymentReport, titles: tuple[str, str]) -> str:
    """Return the fenced diagram, or nothing when there is nothing to draw.

    Args:
        titles: what this side and the host are called.
    """
    found = bars(report)[:_MOST]
    if not found:
        return ""
    names = {"bridge": titles[0], "host": titles[1]}
    # Times without a date are read in the reader's own zone, and shown in it: the axis starts at zero everywhere.
    lines = ["```mermaid", "gantt", "  dateFormat HH:mm:ss.SSS", "  axisFormat %M:%S"]
    section = ""
    for bar in found:
        if bar.section != section:
            section = bar.section
            lines.append(f"  section {_word(names[section])}")
        tag = _TAGS.get(bar.status, "active")
        lines.append(f"  {_word(bar.name)} :{tag}, {_clock(bar.begin)}, {_clock(max(bar.end, bar.begin + 0.001))}")
    return "\n".join([*lines, "```"])


def _word(text: str) -> str:
    """Return a name that no grammar takes for anything else."""
    word = re.sub(r"[^\w .()-]+", " ", text, flags=re.ASCII)[:40].strip() or "step"
    return f"step {word}" if _KEYWORD.match(word) else word


def _clock(seconds: float) -> str:
    milliseconds = min(round(seconds * 1000), 86_399_999)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
