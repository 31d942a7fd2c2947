"""``audit.verify``: is the history of calls whole? Otherwise what became of it, and where."""

from __future__ import annotations

from typing import Any

from agent.capabilities.call import Call
from agent.host import history
from agent.host.audit import Head
from agent.model import messages
from agent.model.errors import Misuse


def run(call: Call) -> dict[str, Any]:
    """Return ``ok``, what was found, and a sentence for people.

    Args (of the call): ``anchor``, a head seen earlier: the history must still hold it.
    """
    anchor = str(call.args.get("anchor", ""))
    if anchor and Head.parse(anchor) is None:
        raise Misuse("audit.anchor", anchor=anchor[:80])
    verdict = history.verify(call.paths, anchor)
    return verdict.to_json() | {"message": said(verdict, call.lang)}


def said(verdict: history.Verdict, lang: str) -> str:
    """Return the verdict as a sentence."""
    where = {"file": verdict.file, "line": verdict.line, "seq": verdict.seq, "until": verdict.until or verdict.seq}
    return messages.text(f"audit.{verdict.kind or 'whole'}", {"count": verdict.count, **where}, lang)
