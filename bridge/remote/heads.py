"""The heads of hosts' histories that this side has seen: a history that was cut or rewritten does not extend them.

One small file for all hosts below ``$XDG_STATE_HOME`` (``~/.local/state``), or where ``BRIDGE_STATE`` says. It holds no
secret. Losing it loses what was seen, nothing else.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.host.audit import Head, link
from agent.host.files import read_json, write_json
from agent.model.errors import IkomaError

_doubts: list[IkomaError] = []


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent says of its history: its head, and the hashes of content behind the head that we kept."""

    head: Head | None
    after: int = 0
    bodies: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Any) -> Answer:
        """Return what stands in an answer; nonsense counts as nothing said."""
        if not isinstance(data, dict):
            return cls(None)
        bodies = data.get("bodies")
        known = tuple(map(str, bodies)) if isinstance(bodies, list) else ()
        after = data.get("after")
        return cls(Head.parse(str(data.get("head", ""))), after if isinstance(after, int) else 0, known)


def folder() -> Path:
    """Return where this side keeps what it has seen."""
    if chosen := os.environ.get("BRIDGE_STATE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "ikoma-bridge"


def kept(host: str) -> Head | None:
    """Return the head last seen on ``host``, None when there is none or it cannot be read."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return Head.parse(str(read_json(folder() / "heads.json", default={}).get(host, "")))
    return None


def keep(host: str, head: Head) -> None:
    """Keep ``head`` unless a later one is kept. A disk that cannot be written loses it, which is no fault."""
    with contextlib.suppress(OSError, ValueError), _locked() as file:
        known = read_json(file, default={})
        before = Head.parse(str(known.get(host, "")))
        if before is None or before.seq < head.seq:
            write_json(file, known | {host: str(head)}, 0o600)


def forget(host: str) -> None:
    """Forget what was seen on ``host``: it was built anew, or its history is accepted as it is."""
    with contextlib.suppress(OSError, ValueError), _locked() as file:
        write_json(file, {name: head for name, head in read_json(file, default={}).items() if name != host}, 0o600)


def greeted(place: object, before: Head | None, said: str) -> None:
    """Take the head of a hello: it must not lie before the one we kept.

    Args:
        place: the host's address, for people.
    """
    now = Head.parse(said)
    if before is not None and (now is None or not _may_follow(before, now)):
        _doubt(place, before, said)


def answered(place: object, host: str, before: Head | None, data: Any) -> Head | None:
    """Take what an answer says of the history, and return the head that is proven now.

    Args:
        place: the host's address, for people.
        host: the fingerprint of its key.
        before: what we kept when we asked; None when this host is new to us.
    """
    answer = Answer.of(data)
    if answer.head is None:
        return None
    if before is None:
        keep(host, answer.head)
        return answer.head
    proven = follow(before, answer)
    if proven is None:
        _doubt(place, before, str(answer.head))
        return None
    keep(host, proven)
    return proven


def follow(before: Head, answer: Answer) -> Head | None:
    """Return the head to which the answer leads from ``before``; None when it does not lead to the head it claims.

    A long way is gone in several answers: then it leads to a head between. Pure.
    """
    if answer.head is None or answer.after != before.seq or not _may_follow(before, answer.head):
        return None
    seq, digest = before.seq, before.hash
    for body in answer.bodies:
        seq, digest = seq + 1, link(digest, body)
    reached = Head(seq, digest)
    if seq < answer.head.seq:
        return reached if answer.bodies else None
    return reached if reached == answer.head else None


def doubts() -> list[IkomaError]:
    """Return, once, what was found wrong."""
    found = list(_doubts)
    _doubts.clear()
    return found


def standing(lang: str) -> list[dict[str, Any]]:
    """Return what was found wrong so far as warnings of a report."""
    return [{"id": one.id, "message": one.message(lang), "remedy": one.remedy(lang)} for one in _doubts]


def _may_follow(before: Head, now: Head) -> bool:
    return now.seq > before.seq or now == before


def _doubt(place: object, before: Head, said: str) -> None:
    if not any(one.params.get("host") == str(place) for one in _doubts):
        seen = f"{before.seq}:{before.hash[:12]}…"
        _doubts.append(IkomaError("audit.not_extended", host=place, seen=seen, said=f"{said[:24]}…" if said else "–"))


@contextlib.contextmanager
def _locked() -> Iterator[Path]:
    """Hold the file against other commands that run at the same time."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (place / "heads.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place / "heads.json"
