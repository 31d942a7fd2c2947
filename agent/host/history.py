"""Reading the history of calls: its files in order, whether the chain is whole, who did what."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from agent.host import audit
from agent.host.audit import GENESIS, Entry, Head
from agent.host.files import sync_folder
from agent.host.paths import Paths

RETIRED: Final = "audit.retire"
"""Stands as the capability in the line that says which lines retention took away."""

_SEGMENT: Final = re.compile(r"audit-([0-9]{12})\.jsonl(\.gz)?")
_BLOCK: Final = 64 * 1024
_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        count: lines that are there and continue each other, up to the fault if there is one.
        first: number of the first line that is kept.
        head: the last good line, as ``<seq>:<hash>``.
        kind: ``changed``, ``removed``, ``inserted``, ``truncated``, ``unreadable``; empty when all is well.
        seq: number of the line that is wrong, or the first that is missing.
        until: the last that is missing, where several are.
        file, line: where that stands; lines count from 1.
    """

    ok: bool
    count: int = 0
    first: int = 0
    head: str = ""
    kind: str = ""
    seq: int | None = None
    until: int | None = None
    file: str = ""
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def files(paths: Paths) -> list[Path]:
    """Return the files of the history, oldest first; the last is the one that is written."""
    found = {match[1]: path for path in sorted(paths.log.glob("audit-*")) if (match := _SEGMENT.fullmatch(path.name))}
    return [*(found[number] for number in sorted(found)), *([paths.audit] if paths.audit.exists() else [])]


def verify(paths: Paths, anchor: str = "") -> Verdict:
    """Check the whole chain, from the first line that is kept to the one that was noted last.

    Args:
        anchor: a ``<seq>:<hash>`` seen earlier: the chain must still hold that line.
    """
    anchors = [head for head in (Head.parse(anchor), audit.remembered(paths)) if head is not None and head.seq]
    walk = _Walk({head.seq: {other.hash for other in anchors if other.seq == head.seq} for head in anchors})
    for file in files(paths):
        with _opened(file) as lines:
            for number, raw in enumerate(lines, 1):
                if (fault := walk.take(raw)) is not None:
                    return Verdict(False, walk.count, walk.first, str(walk.last), *fault, file.name, number)
    return walk.verdict(files(paths))


class _Walk:
    """Goes along the chain, line by line."""

    def __init__(self, anchors: dict[int, set[str]]) -> None:
        self.anchors, self.last, self.first, self.count = anchors, Head(), 0, 0
        self.begins: Head | None = None
        self.retired: set[str] = set()

    def take(self, raw: bytes) -> tuple[str, int, int | None] | None:
        """Take one line; return kind, number and end of the fault, None when it continues the chain."""
        try:
            line = json.loads(raw)
            seq, previous, claimed = int(line["seq"]), str(line["prev"]), str(line["hash"])
        except (ValueError, KeyError, TypeError):
            return "unreadable", self.last.seq + 1, None
        if self.begins is None:
            self.begins = self.last = Head(seq - 1, previous if seq > 1 else GENESIS)
            self.first = seq
        fault = self._fault(seq, previous, claimed == audit.link(previous, audit.body(line)))
        if fault is None and self.anchors.pop(seq, {claimed}) != {claimed}:
            fault = "changed", seq, None
        if fault is None:
            self.last, self.count = Head(seq, claimed), self.count + 1
            if line.get("capability") == RETIRED and line.get("door") == "worker":
                self.retired.add(str((line.get("note") or {}).get("until")))
        return fault

    def _fault(self, seq: int, previous: str, sound: bool) -> tuple[str, int, int | None] | None:
        if seq > self.last.seq + 1:
            return "removed", self.last.seq + 1, seq - 1
        if seq <= self.last.seq:
            return "inserted", seq, None
        if not sound:
            return "changed", seq, None
        # A line that is whole in itself and does not fit: the one before it is not the one that it was written behind.
        return ("changed", self.last.seq or seq, None) if previous != self.last.hash else None

    def verdict(self, kept: list[Path]) -> Verdict:
        """Return what the whole walk found: nothing must be missing at either end."""
        name, common = kept[-1].name if kept else "", (self.count, self.first, str(self.last))
        missing = [seq for seq in self.anchors if seq > self.last.seq]
        if missing:
            return Verdict(False, *common, "truncated", self.last.seq + 1, max(missing), name, None)
        if self.begins is not None and self.begins.seq and str(self.begins) not in self.retired:
            return Verdict(False, *common, "removed", 1, self.begins.seq, kept[0].name, 1)
        return Verdict(True, *common)


def proof(paths: Paths, after: int, most: int = 2000) -> list[str]:
    """Return the hashes of content of the lines behind number ``after``, at most ``most`` of them, oldest first.

    Whoever kept the head of line ``after`` can compute the next heads from them, and learns nothing else.
    """
    found: list[str] = []
    for line in _backwards(paths):
        if int(line["seq"]) <= after:
            break
        found.append(audit.body(line))
    return found[::-1][:most]


def query(
    paths: Paths, wanted: Callable[[dict[str, Any]], bool], limit: int, before: int | None = None
) -> list[dict[str, Any]]:
    """Return the latest ``limit`` lines that are ``wanted``, newest first, from below number ``before`` on."""
    found: list[dict[str, Any]] = []
    for line in _backwards(paths):
        if (before is None or int(line["seq"]) < before) and wanted(line):
            found.append(line)
        if len(found) == limit:
            break
    return found


def compress(paths: Paths) -> None:
    """Compress the files that were put away."""
    import gzip
    import shutil

    for file in files(paths):
        if file.suffix == ".gz" or file == paths.audit:
            continue
        packed, partial = file.with_suffix(".jsonl.gz"), file.with_suffix(".part")
        with file.open("rb") as source, gzip.open(partial, "wb") as sink:
            shutil.copyfileobj(source, sink)
        partial.replace(packed)
        sync_folder(paths.log)
        file.unlink()


def retire(paths: Paths, days: int) -> list[str]:
    """Take away the files whose last line is older than ``days``; the history itself says that they are gone.

    Returns:
        Their names. The line is written before the files go: a kill in between leaves too much, never a hole.
    """
    oldest = time.time() - days * _DAY
    old = [file for file in files(paths) if file != paths.audit and file.stat().st_mtime < oldest]
    if not old:
        return []
    until = _end(old[-1])
    audit.append(paths, Entry("-", "", "worker", RETIRED, "ok", note={"until": str(until)}))
    for file in old:
        file.unlink()
    return [file.name for file in old]


def _end(file: Path) -> Head:
    with _opened(file) as lines:
        *_, raw = lines
    line = json.loads(raw)
    return Head(int(line["seq"]), str(line["hash"]))


def _backwards(paths: Paths) -> Iterator[dict[str, Any]]:
    """Yield the readable lines, newest first."""
    for file in reversed(files(paths)):
        raws = _last_first(file) if file.suffix != ".gz" else reversed(list(_all(file)))
        for raw in raws:
            try:
                line = json.loads(raw)
                int(line["seq"])
            except (ValueError, KeyError, TypeError):
                continue
            yield line


def _all(file: Path) -> Iterator[bytes]:
    with _opened(file) as lines:
        yield from lines


def _last_first(file: Path) -> Iterator[bytes]:
    """Yield the lines of a plain file from its end, without reading more of it than is asked for."""
    with file.open("rb") as stream:
        position, rest = stream.seek(0, os.SEEK_END), b""
        while position > 0:
            size = min(_BLOCK, position)
            position -= size
            stream.seek(position)
            rest, *whole = (stream.read(size) + rest).split(b"\n")
            yield from (line for line in reversed(whole) if line)
        if rest:
            yield rest


def _opened(file: Path) -> Any:
    if file.suffix != ".gz":
        return file.open("rb")
    import gzip  # every call imports this module, and hardly one reads an old file

    return gzip.open(file, "rb")
