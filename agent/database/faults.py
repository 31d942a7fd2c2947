"""What PostgreSQL and libpq say, as errors of our catalogue. Never with a password, never with row data."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import sql

from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.secret import Redactor

_CODES: Final = {
    "28P01": "database.password",
    "28000": "database.not_allowed",
    "3D000": "database.absent",
    "53300": "database.too_many",
    "57P03": "database.starting",
    "57P01": "database.lost",
    "57P02": "database.lost",
    "25006": "database.read_only",
    "53100": "database.disk_full",
    "42501": "database.denied",
}

# While connecting, libpq hands on the server's sentence but not its code; servers speak English or French here.
_SENTENCES: Final = (
    ("database.rights", ("permission denied for database", "droit refusé pour la base")),
    ("database.password", ("password authentication failed", "authentification par mot de passe échouée",
                           "no password supplied", "aucun mot de passe fourni")),
    ("database.pooler", ("unsupported startup parameter",)),
    ("database.not_allowed", ("no pg_hba.conf entry", "aucune entrée dans pg_hba.conf", "is not permitted to log in",
                              "pg_hba.conf rejects", "pg_hba.conf rejette", "n'est pas autorisé à se connecter")),
    ("database.too_many", ("too many clients", "too many connections", "remaining connection slots",
                           "trop de clients", "trop de connexions", "emplacements de connexion")),
    ("database.starting", ("the database system is", "le système de bases de données")),
    ("database.password", ("role \"", "le rôle «")),
    ("database.absent", ("database \"", "la base de données «")),
)  # fmt: skip


def connecting(error: psycopg.Error, dsn: Dsn) -> IkomaError:
    """Return what an attempt to connect failed of."""
    text = " ".join(Redactor([dsn.password])(str(error)).split())
    reason = text.rpartition("failed: ")[2] or text
    if error.sqlstate in _CODES:
        return IkomaError(_CODES[error.sqlstate], where=dsn.where, reason=reason)
    for message_id, fragments in _SENTENCES:
        if any(fragment in text for fragment in fragments):
            return IkomaError(message_id, where=dsn.where, reason=reason, **_connect_right(dsn))
    return IkomaError("database.unreachable", where=dsn.where, reason=reason[:300])


def _connect_right(dsn: Dsn) -> dict[str, Any]:
    grant = sql.SQL("grant connect on database {} to {};").format(
        sql.Identifier(dsn.database), sql.Identifier(dsn.user)
    )
    return {"role": dsn.user, "database": dsn.database, "right": "CONNECT", "grant": grant.as_string(None)}


def working(error: psycopg.Error, dsn: Dsn) -> IkomaError:
    """Return what a statement of ours failed of, from code and primary message alone."""
    reason = primary(error)
    if error.sqlstate is None:
        return IkomaError("database.lost", where=dsn.where, reason=Redactor([dsn.password])(reason))
    known = _CODES.get(error.sqlstate, "database.failed")
    return IkomaError(known, where=dsn.where, role=dsn.user, reason=reason, code=error.sqlstate)


def environmental(error: psycopg.Error) -> bool:
    """Whether the fault lies around the statement (connection, disk, rights to write), not in it."""
    return error.sqlstate is None or error.sqlstate in {"57P01", "57P02", "57P03", "25006", "53100", "53300"}


def primary(error: psycopg.Error) -> str:
    """Return PostgreSQL's own sentence. Its DETAIL is left out: it quotes rows."""
    return error.diag.message_primary or (str(error).strip().splitlines() or [type(error).__name__])[0]
