"""Comments that allow a finding: ``-- ikoma-allow drop-column: nothing reads it since release 41``. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.database.statements import Statement

_ALLOW: Final = re.compile(
    r"ikoma-allow(?P<whole>-file)?\s+(?P<rules>[a-z-]+(?:\s*,\s*[a-z-]+)*)\s*(?::\s*(?P<reason>.*?))?\s*(?:\*/)?$",
    re.MULTILINE,
)
_COMMENTS: Final = {275, 276}  # SQL_COMMENT and C_COMMENT of the scanner


@dataclass(slots=True)
class Allowance:
    """One comment: the rules it names, why, and the statement it stands at (None: the whole file)."""

    line: int
    rules: frozenset[str]
    reason: str
    statement: Statement | None
    used: bool = field(default=False)

    def covers(self, rule: str, statement: Statement) -> bool:
        """Whether it allows a finding of this rule at this statement."""
        return bool(self.reason) and rule in self.rules and (self.statement is None or self.statement is statement)


def read(text: str, statements: Sequence[Statement]) -> list[Allowance]:
    """Return the comments of a file that allow something; each stands above, in or behind its statement."""
    import postgast

    if "ikoma-allow" not in text:
        return []
    raw = text.encode()
    found = []
    for token in postgast.scan(text).tokens:
        if token.token in _COMMENTS and (match := _ALLOW.search(raw[token.start : token.end].decode())):
            line = raw.count(b"\n", 0, token.start) + 1
            rules = frozenset(name.strip() for name in match["rules"].split(","))
            at = None if match["whole"] else _at(line, statements)
            found.append(Allowance(line, rules, (match["reason"] or "").strip(), at))
    return found


def _at(line: int, statements: Sequence[Statement]) -> Statement | None:
    """Return the statement that a comment belongs to: the one whose lines it stands on, else the next."""
    for statement in statements:
        if line <= statement.line + statement.text.count("\n"):
            return statement
    return statements[-1] if statements else None
