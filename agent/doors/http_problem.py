"""Errors as RFC 9457 problem details, with the ids that they have everywhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from agent.model.errors import Exit, IkomaError

MEDIA_TYPE: Final = "application/problem+json"

_STATUS: Final = {
    "alert.host": 403,
    "http.argument": 422,
    "http.body_too_large": 413,
    "http.method": 405,
    "http.not_found": 404,
    "http.role": 403,
    "http.slow": 408,
    "http.too_many": 429,
    "keys.foreign": 403,
    "operation.busy": 409,
    "wire.bad_request": 400,
    "wire.body": 400,
    "wire.forbidden": 403,
    "wire.foreign_app": 403,
    "wire.internal": 500,
    "wire.operation_reused": 409,
    "wire.unknown_capability": 404,
    "wire.unknown_key": 401,
    "wire.unknown_operation": 404,
}

STATUSES: Final = tuple(sorted({*_STATUS.values(), 503}))


def status_of(error: IkomaError) -> int:
    """Return the HTTP status: from the table, 422 for other misuse, 503 for what is wrong with the host."""
    return _STATUS.get(error.id, 422 if error.exit_code == Exit.MISUSE else 503)


def problem(error: IkomaError, lang: str, status: int | None = None, **more: Any) -> dict[str, Any]:
    """Return the problem details of ``error``. It never has a ``result``.

    Args:
        more: further members, such as ``operation`` or ``errors``.
    """
    code = status or status_of(error)
    return {
        "type": f"urn:ikoma:error:{error.id}",
        "title": HTTPStatus(code).phrase,
        "status": code,
        "detail": error.message(lang),
        "id": error.id,
        "remedy": error.remedy(lang),
        "step": error.step,
        **more,
    }


def failed(outcome: Mapping[str, Any], operation: str) -> dict[str, Any]:
    """Return the problem of an operation that ran and did not succeed: what it left stands under ``outcome``."""
    error = IkomaError.from_json(dict(outcome.get("error") or {"id": "operation.end.failed"}))
    told = outcome.get("error") or {}
    return problem(error, "en", 409, operation=operation, outcome=dict(outcome)) | {
        "detail": told.get("message") or outcome.get("message", ""),
        "remedy": told.get("remedy", ""),
    }
