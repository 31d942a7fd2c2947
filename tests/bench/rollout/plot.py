"""What users saw over time, as an SVG: answers by the second, failures in red, each roll-out as a band. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

WIDTH, ROW, LEFT, TOP, GAP = 1200, 120, 90, 40, 46
COLOURS: Final = {"HEALTHY": "#dcefdc", "ROLLED_BACK": "#f6e3c8", "": "#e4e6ee"}
Row = tuple[str, Sequence[Sequence[Any]], Sequence[tuple[float, float, str]]]
"""A title, the samples, and the roll-outs: start, end, how it ended."""


def svg(rows: Sequence[Row], title: str) -> str:
    """Return the picture: one row for each contender, all at the same scale of time."""
    span = max((sample[0] for _, samples, _ in rows for sample in samples), default=1.0)
    height = TOP + len(rows) * (ROW + GAP) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="15">{escape(title)}</text>',
    ]
    for number, row in enumerate(rows):
        parts += _row(row, TOP + number * (ROW + GAP), span)
    return "\n".join([*parts, _axis(span, height - 18), "</svg>"]) + "\n"


def _row(row: Row, top: float, span: float) -> Iterable[str]:
    title, samples, bands = row
    answered, failed = per_second(samples)
    scale = ROW / max([*answered.values(), *failed.values(), 1])
    yield f'<text x="{LEFT}" y="{top + 12}">{escape(title)}</text>'
    for start, end, status in bands:
        left, right = _x(start, span), _x(end, span)
        yield (f'<rect x="{left:.1f}" y="{top + 18}" width="{max(right - left, 1):.1f}" height="{ROW}" '
               f'fill="{COLOURS.get(status, COLOURS[""])}"/>')  # fmt: skip
    yield from _bars(answered, "#4a6fa5", top, scale, span)
    yield from _bars(failed, "#c62828", top, scale, span)
    yield f'<text x="{LEFT - 8}" y="{top + 28}" text-anchor="end">{max([*answered.values(), 0])}/s</text>'


def _bars(counts: Counter[int], colour: str, top: float, scale: float, span: float) -> Iterable[str]:
    width = max(_x(1, span) - _x(0, span) - 0.4, 0.4)
    for second, count in sorted(counts.items()):
        tall = max(count * scale, 1.5)
        yield (f'<rect x="{_x(second, span):.1f}" y="{top + 18 + ROW - tall:.1f}" width="{width:.1f}" '
               f'height="{tall:.1f}" fill="{colour}" fill-opacity="0.8"/>')  # fmt: skip


def per_second(samples: Iterable[Sequence[Any]]) -> tuple[Counter[int], Counter[int]]:
    """Return how many requests that began in each second were answered, and how many failed."""
    answered, failed = Counter[int](), Counter[int]()
    for at, _, kind, status, *_ in samples:
        if kind != "websocket":
            (answered if status == 200 else failed)[int(at)] += 1
    return answered, failed


def _x(seconds: float, span: float) -> float:
    return LEFT + seconds / span * (WIDTH - LEFT - 20)


def _axis(span: float, y: float) -> str:
    step = next(step for step in (10, 30, 60, 120, 300, 600) if span / step <= 12 or step == 600)
    marks = range(0, int(span) + 1, step)
    return "".join(f'<text x="{_x(at, span):.1f}" y="{y}" text-anchor="middle">{at} s</text>' for at in marks)
