"""Rows that stand in a file behind COPY … FROM stdin, as in dumps: cut out of the SQL, and sent as rows. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from agent.database import syntax
from agent.model.errors import IkomaError

_STDIN: Final = re.compile(r"\bstdin\b", re.IGNORECASE)
_LINE_ENDS: Final = re.compile(r";[ \t\r]*\n")
_END: Final = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)


def cut(text: str, file: str = "") -> tuple[str, list[bytes]]:
    """Return the SQL of a file without such rows, its lines where they were, and the rows of each COPY in turn.

    Raises:
        IkomaError: ``migration.copy_data`` for rows without an end (a line with a backslash and a full stop).
    """
    kept: list[str] = []
    found: list[bytes] = []
    start, word = 0, _STDIN.search(text)
    while word is not None:
        where = word.end()
        begin = _rows_after(text, start, where)
        if begin:
            end = _END.search(text, begin)
            if end is None:
                raise IkomaError("migration.copy_data", file=file, line=text.count("\n", 0, begin))
            rows = text[begin : end.start()]
            kept += [text[start:begin], "\n" * rows.count("\n")]
            found.append(rows.encode())
            start = where = end.end()
        word = _STDIN.search(text, where)
    return "".join([*kept, text[start:]]), found


def _rows_after(text: str, start: int, word: int) -> int:
    """Return where the rows begin, if the statement around ``word`` is a COPY that reads them from the file; else 0."""
    line = _LINE_ENDS.search(text, word)
    return line.end() if line and _reads_rows(text[start : line.start() + 1]) else 0


def _reads_rows(text: str) -> bool:
    """Whether the last statement of ``text`` does; inside of a comment or a string no statement ends."""
    import postgast

    try:
        found = syntax.parse(text).stmts
    except postgast.PgQueryError:
        return False
    return bool(len(found)) and reads_rows(found[-1].stmt)


def reads_rows(node: Any) -> bool:
    """Whether a statement is a COPY that reads rows from its client."""
    copy = node.copy_stmt if node.HasField("copy_stmt") else None
    return copy is not None and bool(copy.is_from) and not copy.filename and not copy.is_program


def writes_rows(node: Any) -> bool:
    """Whether a statement is a COPY that sends rows to its client."""
    copy = node.copy_stmt if node.HasField("copy_stmt") else None
    return copy is not None and not copy.is_from and not copy.filename and not copy.is_program
