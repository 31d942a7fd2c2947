"""The judgement: what the pending files would do, which of it stops a deployment, and what somebody allowed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from agent.database import compatibility
from agent.database.compatibility import Seen, inside_do
from agent.database.guard import allow
from agent.database.guard.allow import Allowance
from agent.database.guard.nodes import body, table, word, writes
from agent.database.guard.rules import PLATFORM, Hit, hits
from agent.database.statements import Statement, located, without_down
from agent.model.guardrails import BLOCKING, RULES, Finding, Known

_FALLBACK: Final = "unsure"
_DYNAMIC: Final = "dynamic-sql"
_OF_A_TABLE: Final = frozenset({"drop-table", "drop-column", "truncate", "delete-all", "update-all", "loses-rows"})
_ALONE: Final = {"changes-rows": "loses-rows"}
"""What a rule about the running release is where none runs: the rows are lost all the same."""


@dataclass(frozen=True, slots=True)
class Span:
    """The lines of one statement, and whether more about it would be of use: on what nobody uses yet it is not."""

    file: str
    first: int
    last: int
    settled: bool


def judge(files: Iterable[tuple[str, str]], known: Known) -> list[Finding]:
    """Return what is to say about the pending files, in their order.

    Args:
        files: names and texts, in the order in which they are applied.

    Raises:
        IkomaError: what ``statements.split`` raises.
    """
    return examined(files, known)[0]


def examined(files: Iterable[tuple[str, str]], known: Known) -> tuple[list[Finding], list[Span]]:
    """Return the same, and where each statement stands."""
    seen = Seen(known)
    found: list[Finding] = []
    spans: list[Span] = []
    parsed = [(name, text, list(located(text, name))) for name, text in files]
    guarded = {table(content) for _, _, nodes in parsed for content in _enabling(nodes)}
    for name, text, nodes in parsed:
        allowed = allow.read(without_down(text), [statement for _, statement in nodes])
        for node, statement in nodes:
            about = [_allowed(item, statement, allowed) for item in _of(node, statement, name, seen, guarded)]
            found += about
            spans.append(_span(name, node, statement, seen, settled=bool(about)))
            seen.note(node)
        found += _useless(name, allowed)
    return found, spans


def _span(file: str, node: Any, statement: Statement, seen: Seen, *, settled: bool) -> Span:
    relation = table(body(node)[1])
    last = statement.line + statement.text.count("\n")
    return Span(
        file,
        statement.line,
        last,
        settled or seen.fresh(relation) or (bool(relation) and seen.known.is_small(relation)),
    )


def _enabling(nodes: Sequence[tuple[Any, Statement]]) -> Iterator[Any]:
    """Yield the statements that switch row-level security on."""
    for kind, content in (body(item) for node, _ in nodes for item in _run(node)[0]):
        if kind == "alter_table_stmt" and any(
            word(item.alter_table_cmd, "subtype") == "AT_EnableRowSecurity" for item in content.cmds
        ):
            yield content


def _run(node: Any) -> tuple[list[Any], bool]:
    """Return the statements to judge one by one, and whether these are all: a DO block stands for what is in it."""
    kind, content = body(node)
    return inside_do(content) if kind == "do_stmt" else ([node], True)


def _of(node: Any, statement: Statement, file: str, seen: Seen, guarded: set[str]) -> Iterator[Finding]:
    known = seen.known
    breaks = known.running and not compatibility.compatible(node, seen)
    run, whole = _run(node)
    told = [] if whole or not known.running else [(_DYNAMIC, "")]
    for item in run:
        told += _told(item, seen, guarded, _FALLBACK if item is node else _DYNAMIC)
    for rule, thing in dict.fromkeys(told):
        kind = RULES[rule]
        size = known.size(_relation(thing)) if kind == "locks" else ""
        yield Finding(
            rule, file, statement.line, statement.excerpt, (thing + size) or "–",
            breaks=breaks and kind in ("running", "loss", "exposed"), blocks=kind in BLOCKING,
        )  # fmt: skip


def _told(node: Any, seen: Seen, guarded: set[str], fallback: str) -> list[Hit]:
    """Return what the rules say of one statement and of what it writes on the way."""
    running = seen.known.running
    said = [(part, hit) for part in (node, *writes(node)) for hit in hits(part, seen)]
    if not running:
        said = [(part, (_ALONE.get(rule, rule), thing)) for part, (rule, thing) in said]
    told = [hit for part, hit in said if _matters(hit, part, seen, guarded)]
    breaks = running and not compatibility.compatible(node, seen)
    if breaks and not any(RULES[rule] in BLOCKING for rule, _ in told):
        told.insert(0, (fallback, table(body(node)[1]) if fallback == _FALLBACK else ""))
    return told


def _matters(hit: Hit, node: Any, seen: Seen, guarded: set[str]) -> bool:
    """Whether a rule has anything to say here: nothing is lost, locked or broken on what nobody uses."""
    rule, thing = hit
    kind, relation = RULES[rule], _relation(thing)
    if kind == "running":
        return seen.known.running and not compatibility.by_itself(node, seen)
    if kind == "loss":
        return _loses(rule, relation, node, seen)
    if kind == "locks":
        return not seen.fresh(relation) and not seen.known.is_small(relation)
    if kind == "exposed" or rule in ("grant-anon", "view-invoker"):
        return _exposed(rule, thing, seen, guarded)
    return True


def _loses(rule: str, relation: str, node: Any, seen: Seen) -> bool:
    """Whether rows may go: not those of what the same files made, nor any where there are none."""
    if compatibility.by_itself(node, seen):
        return False
    known = seen.known
    if known.running:
        return True
    if rule == "drop-owned":
        return known.holds_rows(PLATFORM - known.owned)
    return bool(known.relations) and not (rule in _OF_A_TABLE and known.is_empty(seen.renamed.get(relation, relation)))


def _exposed(rule: str, thing: str, seen: Seen, guarded: set[str]) -> bool:
    if not seen.known.anonymous:
        return False
    if rule == "grant-anon":
        return thing.rpartition(" ")[2] in seen.known.anonymous
    if rule == "table-without-rls":
        return thing.startswith("public.") and thing not in guarded and thing not in seen.names
    return rule != "view-invoker" or thing.startswith("public.")


def _relation(thing: str) -> str:
    """Return ``schema.table`` of ``schema.table.column``."""
    return ".".join(thing.split(".")[:2])


def _allowed(finding: Finding, statement: Statement, allowed: Sequence[Allowance]) -> Finding:
    """Mark a finding that a comment allows, be it by the name that it has while a release runs."""
    rules = {finding.rule, *(rule for rule, alone in _ALONE.items() if alone == finding.rule)}
    for item in allowed:
        if any(item.covers(rule, statement) for rule in rules):
            item.used = True
            return replace(finding, reason=item.reason)
    return finding


def _useless(file: str, allowed: Sequence[Allowance]) -> Iterator[Finding]:
    """A comment without a reason allows nothing; one that names no finding is told, for it may be misspelt."""
    for item in allowed:
        names = ", ".join(sorted(item.rules))
        if not item.reason:
            yield Finding("allow-no-reason", file, item.line, names, names)
        elif not item.rules <= RULES.keys():
            yield Finding("allow-unused", file, item.line, names, ", ".join(sorted(item.rules - RULES.keys())))
