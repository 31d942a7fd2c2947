"""A database connection string, parsed by ourselves: libpq's own parser shows the password in its errors. Pure.

People paste passwords with ``%``, ``@``, spaces and quotes in them. What can be understood in one way only is
understood; everything else is refused without showing any part of the string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote

from agent.model.errors import Misuse
from agent.model.secret import Secret

_SCHEME: Final = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_PLACE: Final = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*|%2[Ff][^@:/?#\s]*)(?::(?P<port>[0-9]{1,5}))?(?:/(?P<database>[^/?#\s@]*))?"
)
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NEVER_RAW: Final = re.compile(r"[\s/?#@\[\]]")

OPTIONS: Final = frozenset(
    """
    application_name channel_binding connect_timeout gssencmode hostaddr keepalives keepalives_count keepalives_idle
    keepalives_interval options require_auth sslcert sslcertmode sslcompression sslcrl sslkey sslmode sslnegotiation
    sslrootcert sslsni ssl_max_protocol_version ssl_min_protocol_version target_session_attrs tcp_user_timeout
    """.split()  # noqa: SIM905 - forty quotes would not make it clearer
)
"""What libpq takes and we hand on."""

FOREIGN: Final = frozenset(
    {"connection_limit", "pgbouncer", "pool_timeout", "schema", "socket_timeout", "statement_cache_size"}
)
"""What other clients (Prisma) write into a URL: understood, not handed on."""

_PLACE_KEYS: Final = ("host", "port", "user", "password", "dbname")
_KEYWORD: Final = re.compile(
    r"""\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Dsn:
    """Where a database is and who connects; its password masks itself."""

    host: str
    user: str
    database: str
    password: Secret = field(default_factory=lambda: Secret(""))
    port: int = 5432
    options: tuple[tuple[str, str], ...] = ()

    @property
    def where(self) -> str:
        """``user@host:port/database``, for people; without the password."""
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    @property
    def pooled(self) -> bool:
        """Whether this is, by its address or its own word, a transaction pooler: sessions mean nothing there."""
        by_word = dict(self.options).get("pgbouncer", "").lower() in {"true", "1", "yes", "on"}
        return by_word or (self.port == 6543 and ("pooler" in self.host or self.host.endswith(".supabase.co")))

    def keywords(self) -> dict[str, str | int]:
        """Return the connection parameters libpq takes. Holds the password in clear: hand it on, never print it."""
        known: dict[str, str | int] = {name: value for name, value in self.options if name in OPTIONS}
        place: dict[str, str | int] = {"host": self.host, "port": self.port, "user": self.user, "dbname": self.database}
        return {**known, **place, "password": self.password.reveal()}

    def url(self) -> Secret:
        """Return the URL every client understands, with all odd characters escaped."""
        host = quote(self.host, safe="") if self.host.startswith("/") else self.host
        host = f"[{host}]" if ":" in host else host
        password = f":{quote(self.password.reveal(), safe='')}" if self.password else ""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.options)
        place = f"{quote(self.user, safe='')}{password}@{host}:{self.port}/{quote(self.database, safe='')}"
        return Secret(f"postgresql://{place}" + (f"?{query}" if query else ""))


def parse(text: str | Secret, name: str = "SUPABASE_DB_DSN") -> Dsn:
    """Return the connection in ``text``, a URL or ``keyword=value`` words.

    Args:
        name: how messages call the value; the value itself is never shown.

    Raises:
        Misuse: ``dsn.invalid``.
    """
    value = (text.reveal() if isinstance(text, Secret) else text).strip()
    if scheme := _SCHEME.match(value):
        return _checked(_url(value[scheme.end() :], name), name)
    if "://" in value[:20] or "=" not in value:
        raise _wrong(name, "it starts neither with postgresql:// nor with keyword=value")
    return _checked(_words(value, name), name)


def _url(rest: str, name: str) -> dict[str, str]:
    rest, query = _cut_query(rest)
    for at in _positions(rest):
        if place := _PLACE.fullmatch(rest[at + 1 :]):
            user, _, password = rest[: max(at, 0)].partition(":")
            found = {key: unquote(part or "") for key, part in place.groupdict().items()}
            return query | {
                "user": _decoded(user),
                "password": _decoded(password),
                "host": found["host"].strip("[]"),
                "port": found["port"],
                "dbname": found["database"],
            }
    raise _wrong(name, "host, port and database do not follow the last @")


def _positions(text: str) -> Iterator[int]:
    """Yield every ``@`` from the right, or -1 when there is none: a password may hold some, a host none."""
    positions = [at for at, character in enumerate(text) if character == "@"]
    yield from reversed(positions or [-1])


def _cut_query(rest: str) -> tuple[str, dict[str, str]]:
    """Cut the query off, which counts as one only if all its keys are known: a password may hold a ``?``."""
    head, mark, tail = rest.rpartition("?")
    pairs = [pair.partition("=") for pair in tail.split("&") if pair]
    if mark and all(sign and key in OPTIONS | FOREIGN | set(_PLACE_KEYS) for key, sign, _ in pairs):
        return head, {key: unquote(value) for key, _, value in pairs}
    return rest, {}


def _decoded(part: str) -> str:
    """Undo percent escapes, unless the part was plainly never escaped: then each sign means itself."""
    return part if _ESCAPE.search(part) or _NEVER_RAW.search(part) else unquote(part)


def _words(value: str, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(value):
        match = _KEYWORD.match(value, position)
        if match is None:
            raise _wrong(name, "a value with spaces or quotes must stand in single quotes: password='…'")
        key, quoted, plain = match.groups()
        if key not in OPTIONS | FOREIGN | set(_PLACE_KEYS):
            raise _wrong(name, "it holds an unknown keyword; a value with spaces must stand in single quotes")
        found[key] = re.sub(r"\\(.)", r"\1", quoted if quoted is not None else plain or "", flags=re.DOTALL)
        position = match.end()
    return found


def _checked(found: dict[str, str], name: str) -> Dsn:
    port = found.get("port") or "5432"
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise _wrong(name, "its port is no port number")
    if "\0" in "".join(found.values()):
        raise _wrong(name, "it holds a NUL character")
    user = found.get("user") or ""
    if not user:
        raise _wrong(name, "it names no user")
    options = tuple(sorted((key, value) for key, value in found.items() if key not in _PLACE_KEYS))
    host, database, password = found.get("host") or "localhost", found.get("dbname") or user, found.get("password")
    return Dsn(host, user, database, Secret(password or ""), int(port), options)


def _wrong(name: str, reason: str) -> Misuse:
    return Misuse("dsn.invalid", name=name, reason=reason)
