"""Foreign text as Markdown that shows it and does nothing else: no markup, no HTML, no mention, no link."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from bridge.reports.text import clean

_MARKUP: Final = re.compile(r"([\\`*_\[\]~|$!{}])")
_LEADING: Final = re.compile(r"^(\d*)([-+=#.)])")
# GitHub links names, numbers and addresses after it has parsed the Markdown, so no backslash stops it; a comment does.
_LINKING: Final = re.compile(r"(@|#|GH-|:(?=//)|www(?=\.))", re.IGNORECASE)
_NOTHING: Final = "<!-- -->"
_CELL: Final = 400
_LONGEST_PATH: Final = 1000


def prose(value: object, longest: int = _CELL) -> str:
    """Return foreign text as plain words in one line of Markdown, cut to ``longest`` characters."""
    text = cut(clean(value).strip(), longest)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKUP.sub(r"\\\1", text)
    text = _LEADING.sub(r"\1\\\2", text)
    return _LINKING.sub(rf"\1{_NOTHING}", text)


def code(value: object, longest: int = 200) -> str:
    """Return foreign text as a code span, also for table cells; nothing inside it is markup, a mention or a link."""
    text = cut(clean(value), longest)
    # A bar ends a table cell unless one backslash stands before it; what the text itself has there would undo that.
    text = re.sub(r"\\+(?=\|)", lambda m: "∖" * len(m[0]), text).replace("|", r"\|")
    if not text.strip():
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def link(label: str, url: str) -> str:
    """Return a link to an address of ours under ``label`` (Markdown already); without an address only the label."""
    return f"[{label}]({url})" if url.startswith(("https://", "http://")) else label


def address(url: str) -> str:
    """Return a link to a foreign address that shows where it goes; anything but a plain web address stays text."""
    return f"<{url}>" if plain_address(url) else code(url)


def plain_address(url: str) -> bool:
    """Say whether ``url`` is a web address and nothing but one."""
    return re.fullmatch(r"https?://[A-Za-z0-9.-]{1,253}(:\d{1,5})?(/[A-Za-z0-9._~/-]{0,200})?", url) is not None


def place(base: str, file: str, line: int) -> str:
    """Return a finding's place, linked to the file at the commit when ``base`` is known."""
    label = code(f"{file}:{line}")
    return link(label, f"{base}/{quote(file)}#L{line}") if base and len(file) <= _LONGEST_PATH else label


def table(heads: Sequence[str]) -> str:
    """Return the two lines that begin a table."""
    return f"{row(heads)}\n|{'---|' * len(heads)}"


def row(cells: Iterable[str]) -> str:
    """Return one row; the cells are Markdown in which bars are escaped."""
    return f"| {' | '.join(cells)} |"


def cut(text: str, longest: int) -> str:
    """Return ``text``, its end replaced by … when it is longer than ``longest`` characters."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
