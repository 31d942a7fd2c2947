"""What stands in a migration file, as PostgreSQL's own grammar sees it; no database is needed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from agent.database import alone, rows, syntax
from agent.model.errors import IkomaError

EXCERPT: Final = 160
_TRANSACTION: Final = {
    "TRANS_STMT_BEGIN": "BEGIN",
    "TRANS_STMT_START": "START TRANSACTION",
    "TRANS_STMT_COMMIT": "COMMIT",
    "TRANS_STMT_ROLLBACK": "ROLLBACK",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
    "TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED",
    "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED",
}  # savepoints stay inside the file's transaction and are welcome
_COMMENTS: Final = {275, 276}  # SQL_COMMENT and C_COMMENT of the scanner
_UP: Final = re.compile(r"^[ \t]*--[ \t]*migrate:up\b.*$", re.MULTILINE)
_RESTRICTED: Final = re.compile(r"^\\(?:un)?restrict [A-Za-z0-9]+[ \t\r]*$", re.MULTILINE)
"""What pg_dump puts around a dump, for psql alone: it keeps commands of psql out of it, which we refuse anyway."""
_DOWN: Final = re.compile(r"^[ \t]*--[ \t]*migrate:down\b.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text and the line (1-based) of its first word in the file.

    Attributes:
        alone: it must not run in a transaction with others.
        lasting: it sets something for the rest of the session (SET without LOCAL).
        plain: it surely makes no schema, changes no right to one and runs no code that could.
        rows: what a COPY … FROM stdin reads from the file.
    """

    text: str
    line: int
    alone: bool = False
    lasting: bool = False
    plain: bool = False
    rows: bytes | None = None

    @property
    def excerpt(self) -> str:
        """Return the start of the statement on one line, for messages; never what follows the word PASSWORD."""
        flat = " ".join(self.text.split())
        if (at := flat.upper().find("PASSWORD ")) >= 0:
            flat = flat[: at + len("PASSWORD")] + " …"
        return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1] + "…"


def decode(raw: bytes, file: str) -> str:
    """Return the text of a file without its byte order mark. Raises ``IkomaError("migration.encoding")``."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IkomaError("migration.encoding", file=file, line=raw.count(b"\n", 0, error.start) + 1) from None
    if "\0" in text:
        raise IkomaError("migration.encoding", file=file, line=text.count("\n", 0, text.index("\0")) + 1)
    return text


def split(text: str, file: str) -> list[Statement]:
    """Return the statements of a migration file.

    Raises:
        IkomaError: ``migration.syntax``, ``migration.meta_command`` or ``migration.copy_data`` for what is not SQL,
            ``migration.transaction_control`` for a statement that would end the file's own transaction.
    """
    return [statement for _, statement in located(text, file)]


def located(text: str, file: str) -> list[tuple[Any, Statement]]:
    """Return each statement with its node of the syntax tree. Raises what ``split`` raises."""
    text, unread = rows_of(text, file)
    tree = _parse(text, file)
    raw = text.encode()
    found: list[tuple[Any, Statement]] = []
    line, position = 1, 0
    for item, single in zip(tree.stmts, _alone(tree, text), strict=True):
        start = int(item.stmt_location)
        end = start + int(item.stmt_len) if item.stmt_len else len(raw)
        line += raw.count(b"\n", position, start)
        position = start
        lasting = item.stmt.HasField("variable_set_stmt") and not item.stmt.variable_set_stmt.is_local
        read = _rows(item.stmt, unread, file, line)
        found.append((item.stmt, Statement(raw[start:end].decode().rstrip(), line, single, lasting,
                                           alone.plain(item.stmt), read)))  # fmt: skip
        _refuse_control(*found[-1], file)
    return found


def _rows(node: Any, unread: list[bytes], file: str, line: int) -> bytes | None:
    """Return the rows that a COPY reads from the file."""
    if rows.writes_rows(node) or (rows.reads_rows(node) and not unread):
        raise IkomaError("migration.copy_data", file=file, line=line)
    return unread.pop(0) if rows.reads_rows(node) else None


def rows_of(text: str, file: str = "") -> tuple[str, list[bytes]]:
    """Return the SQL on a file's way up, and the rows that stand in it; lines keep their numbers.

    Raises:
        IkomaError: ``migration.copy_data``.
    """
    return rows.cut(without_down(text), file)


def _alone(tree: Any, text: str) -> list[bool]:
    """Tell for each statement whether it must run alone.

    A value added to an enum cannot be used before it is committed: it does when the file mentions it again.
    """
    found = [alone.must(item.stmt) for item in tree.stmts]
    for number, item in enumerate(tree.stmts):
        label = alone.added_label(item.stmt)
        if label and text.count(f"'{label}'") > 1:
            found[number] = True
    return found


def without_down(text: str) -> str:
    """Blank what a file says about the way back (dbmate's ``-- migrate:down``), and the frame of a dump.

    Lines keep their numbers.
    """
    text = _RESTRICTED.sub("", text) if "restrict " in text else text
    if not (up := _UP.search(text)):
        return text
    down = _DOWN.search(text, up.end())
    return text if down is None else text[: down.start()] + "\n" * text.count("\n", down.start())


def tokens(text: str) -> str:
    """Return a hash over what a file says, not over how: comments and white space do not count."""
    found, data = _scanned(text)
    return hashlib.sha256(b"".join(word + b"\0" for word in [*found, *data])).hexdigest()


def _scanned(text: str) -> tuple[list[bytes], list[bytes]]:
    """Return the words of a file, and the rows in it."""
    import postgast

    text, data = rows_of(text)
    raw = text.encode()
    found = [raw[item.start : item.end] for item in postgast.scan(text).tokens if item.token not in _COMMENTS]
    return found, data


def words(text: str) -> str:
    """Return the same hash without the marks between statements, which other tools' ledgers leave out."""
    found, _ = _scanned(text)
    return hashlib.sha256(b"\0".join(word for word in found if word != b";")).hexdigest()


def _parse(text: str, file: str) -> Any:
    import postgast

    try:
        return syntax.parse(text)
    except postgast.PgQueryError as error:
        raise _unreadable(text, max(int(error.cursorpos or 1), 1) - 1, str(error.message), file) from None


def _unreadable(text: str, offset: int, reason: str, file: str) -> IkomaError:
    number = text.count("\n", 0, offset) + 1
    line = text.split("\n")[number - 1].strip()
    for told in (line, text[offset : offset + EXCERPT]):
        if told.startswith("\\"):
            return IkomaError("migration.meta_command", file=file, line=number, command=told.split()[0])
    return IkomaError("migration.syntax", file=file, line=number, reason=reason, statement=line[:EXCERPT])


def _refuse_control(node: Any, statement: Statement, file: str) -> None:
    if not node.HasField("transaction_stmt"):
        return
    kind = node.transaction_stmt.DESCRIPTOR.fields_by_name["kind"].enum_type.values_by_number
    name = kind[node.transaction_stmt.kind].name
    if name in _TRANSACTION:
        raise IkomaError("migration.transaction_control", file=file, line=statement.line, word=_TRANSACTION[name])


def made_roles(text: str) -> set[str]:
    """Return the names of the roles that a file creates by plain CREATE ROLE, USER or GROUP; none when it is no SQL."""
    import postgast

    try:
        found = syntax.parse(text)
    except postgast.PgQueryError:
        return set()
    return {item.stmt.create_role_stmt.role for item in found.stmts if item.stmt.HasField("create_role_stmt")}
