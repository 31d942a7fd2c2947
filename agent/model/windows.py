"""Deployment windows: ``mon-fri 09:00-17:00``, in a time zone, by the clock on the wall there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])")
_WEEK: Final = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """Days (0 is Monday) on which it opens, and minutes of the day; one that ends early goes past midnight."""

    days: frozenset[int]
    opens: int
    closes: int

    def holds(self, wall: datetime) -> bool:
        """Say whether it is open at a time on the wall."""
        minute, day = wall.hour * 60 + wall.minute, wall.weekday()
        if self.opens < self.closes:
            return day in self.days and self.opens <= minute < self.closes
        return (day in self.days and minute >= self.opens) or ((day - 1) % 7 in self.days and minute < self.closes)


def parse(text: str) -> Window:
    """Return the window in ``text``. Raises ``ValueError`` saying what is wrong."""
    match = _FORM.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"“{text[:40]}” is no window such as “mon-fri 09:00-17:00”")
    first, last = match[1], match[2] or match[1]
    if first not in DAYS or last not in DAYS:
        raise ValueError(f"“{text[:40]}” names a day that is none of {', '.join(DAYS)}")
    opens, closes = int(match[3]) * 60 + int(match[4]), int(match[5]) * 60 + int(match[6])
    if max(opens, closes) > 24 * 60:
        raise ValueError(f"“{text[:40]}” goes beyond 24:00")
    begin, end = DAYS.index(first), DAYS.index(last)
    return Window(frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1)), opens, closes)


def is_open(windows: list[Window], wall: datetime) -> bool:
    """Say whether any window is open; where there are none, always."""
    return not windows or any(window.holds(wall) for window in windows)


def next_open(windows: list[Window], wall: datetime) -> datetime | None:
    """Return when a window opens next, by the wall, within a week; None when none does."""
    at = wall.replace(second=0, microsecond=0)
    for _ in range(_WEEK + 1):
        at += timedelta(minutes=1)
        if is_open(windows, at):
            return at
    return None
