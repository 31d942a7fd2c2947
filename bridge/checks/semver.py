"""Just enough of npm's ranges: whether a version lies in a range, and whether two ranges can meet. Pure."""

from __future__ import annotations

import re
from typing import Final

Version = tuple[int, int, int, tuple[tuple[int, int | str], ...]]
Bound = tuple[Version, bool]

_VERSION: Final = re.compile(r"v?(\d+)(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([\w.-]+))?(?:\+[\w.-]+)?")
_PART: Final = re.compile(r"(>=|<=|>|<|=|\^|~>?)?\s*([vV]?[\dxX*][\w.+*-]*)")
_TOP: Final[Version] = (10**9, 0, 0, ((1, ""),))
_RELEASE: Final = ((2, ""),)


def parse(text: str) -> Version | None:
    """Return a version for comparing; None when ``text`` is none."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    numbers = [int(item) if item and item.isdigit() else 0 for item in match.groups()[:3]]
    return (numbers[0], numbers[1], numbers[2], _prerelease(match[4]))


def _prerelease(text: str | None) -> tuple[tuple[int, int | str], ...]:
    if not text:
        return _RELEASE
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in text.split("."))


def ranges(text: str) -> list[tuple[Version, Version]] | None:
    """Return half-open intervals [low, high) that ``text`` covers; None when it is no range of versions."""
    found = []
    for alternative in text.removeprefix("npm:").split("||"):
        interval = _conjunction(alternative.strip())
        if interval is None:
            return None
        found.append(interval)
    return found


def _conjunction(text: str) -> tuple[Version, Version] | None:
    if text in ("", "*", "x", "latest", "X"):
        return (0, 0, 0, ((-1, 0),)), _TOP
    if match := re.fullmatch(r"(\S+)\s+-\s+(\S+)", text):
        text = f">={match[1]} <={match[2]}"
    low: Version = (0, 0, 0, ((-1, 0),))
    high = _TOP
    position = 0
    for part in _PART.finditer(text):
        if text[position : part.start()].strip(" ,"):
            return None
        position = part.end()
        interval = _interval(part[1] or "", part[2])
        if interval is None:
            return None
        low, high = max(low, interval[0]), min(high, interval[1])
    return None if text[position:].strip() or position == 0 else (low, high)


def _interval(operator: str, text: str) -> tuple[Version, Version] | None:
    match = _VERSION.fullmatch(text)
    if match is None:
        return ((0, 0, 0, ((-1, 0),)), _TOP) if text in ("*", "x", "X") else None
    version = parse(text)
    if version is None:
        return None
    major, minor, patch = version[:3]
    given = sum(1 for item in match.groups()[:3] if item and item.isdigit())
    after = _bump(major, minor, patch, given)
    if operator in (">=", ">"):
        return (version if operator == ">=" else (_after(version) if given == 3 else after)), _TOP
    if operator in ("<", "<="):
        return (0, 0, 0, ((-1, 0),)), version if operator == "<" else (_after(version) if given == 3 else after)
    if operator == "^":
        return version, _caret(major, minor, patch, given)
    if operator.startswith("~"):
        return version, _bump(major, minor, patch, min(given, 2))
    return version, _after(version) if given == 3 else after


def _after(version: Version) -> Version:
    return (version[0], version[1], version[2], (*version[3], (3, "")))


def _bump(major: int, minor: int, patch: int, given: int) -> Version:
    """The first version above all that begin with the first ``given`` numbers."""
    lowest = ((-1, 0),)
    if given <= 1:
        return (major + 1, 0, 0, lowest)
    return (major, minor + 1, 0, lowest) if given == 2 else (major, minor, patch + 1, lowest)


def _caret(major: int, minor: int, patch: int, given: int) -> Version:
    if major or given <= 1:
        return _bump(major, minor, patch, 1)
    return _bump(0, minor, patch, 2) if minor or given == 2 else _bump(0, 0, patch, 3)


def satisfies(version: str, text: str) -> bool | None:
    """Return whether ``version`` lies in the range ``text``; None when either is none."""
    parsed, intervals = parse(version), ranges(text)
    if parsed is None or intervals is None:
        return None
    return any(low <= parsed < high for low, high in intervals)


def intersects(left: str, right: str) -> bool:
    """Return whether two ranges have a version in common; what is no range meets only itself."""
    first, second = ranges(left), ranges(right)
    if first is None or second is None:
        return left == right
    return any(max(a, c) < min(b, d) for a, b in first for c, d in second)
