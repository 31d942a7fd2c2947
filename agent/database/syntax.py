"""PostgreSQL's own syntax tree of a text, of statements that are nested too deeply for it as well. Pure.

The tree comes as a message that may not be nested beyond a hundred levels: fifty strings put together by ``||`` are
more. Such a statement stands in the tree as a block of code that nobody can look into; what is said of it is what is
said of such a block.
"""

from __future__ import annotations

from typing import Any, Final

_UNSEEN: Final = "do $$ begin execute 'nested too deeply'; end $$"


def parse(text: str) -> Any:
    """Return the tree. Raises ``postgast.PgQueryError`` for what is no SQL."""
    import postgast
    from google.protobuf.message import DecodeError

    try:
        return postgast.parse(text)
    except DecodeError:
        return _piece_by_piece(text)


def _piece_by_piece(text: str) -> Any:
    import postgast
    from google.protobuf.message import DecodeError

    found, raw, position = postgast.ParseResult(), text.encode(), 0
    for piece in postgast.split(text):
        content = piece.encode()
        start = raw.index(content, position)
        position = start + len(content)
        try:
            (statement,) = postgast.parse(piece).stmts
        except DecodeError:
            (statement,) = postgast.parse(_UNSEEN).stmts
        statement.stmt_location, statement.stmt_len = start, len(content)
        found.stmts.append(statement)
    return found
