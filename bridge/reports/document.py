"""A text that must fit: parts whose rows can be left out, so that no table row and no code fence is ever cut. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a document.

    Attributes:
        head: what stands before the rows; ``tail``: after them. Both always stay.
        rows: lines of which the last may be left out.
        more: what is said instead of ``n`` rows that were left out.
        whole: whether the part vanishes when it does not fit at all (a diagram is of no use by halves).
    """

    head: str
    rows: tuple[str, ...] = ()
    tail: str = ""
    more: Callable[[int], str] = str
    whole: bool = False

    def render(self, shown: int) -> str:
        """Return the part with its first ``shown`` rows."""
        lines = [self.head, *self.rows[:shown], self.tail]
        if left := len(self.rows) - shown:
            lines.append(f"\n{self.more(left)}")
        return "\n".join(line for line in lines if line)


def fit(parts: Sequence[Part], limit: int) -> str:
    """Return the parts as one text of at most ``limit`` bytes: rows of the last parts go first.

    Bytes, because nobody says whether GitHub counts characters, and there are never more characters than bytes.
    """
    shown = [len(part.rows) for part in parts]
    kept = list(parts)
    for index in reversed(range(len(kept))):
        excess = _size(kept, shown) - limit
        if excess <= 0:
            break
        if kept[index].whole:
            kept[index], shown[index] = Part(""), 0
        else:
            shown[index] = _fewer(kept[index], shown[index], excess)
    text = _join(kept, shown)
    return text if _bytes(text) <= limit else _plain_cut(text, limit)


def _fewer(part: Part, shown: int, excess: int) -> int:
    """Return how many rows may stay so that the part becomes ``excess`` bytes shorter."""
    gained = -_bytes(part.more(len(part.rows))) - 2
    while shown and gained < excess:
        shown -= 1
        gained += _bytes(part.rows[shown]) + 1
    return shown


def _plain_cut(text: str, limit: int) -> str:
    """The heads alone are too long, which nothing of ours makes: keep whole lines from the start."""
    kept, size = [], 0
    for line in text.split("\n"):
        size += _bytes(line) + 1
        if size > limit:
            break
        kept.append(line)
    return "\n".join(kept)


def _join(parts: Sequence[Part], shown: Sequence[int]) -> str:
    return "\n\n".join(text for part, count in zip(parts, shown, strict=True) if (text := part.render(count)))


def _size(parts: Sequence[Part], shown: Sequence[int]) -> int:
    return _bytes(_join(parts, shown))


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
