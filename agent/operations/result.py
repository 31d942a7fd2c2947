"""The result of an operation: the documented JSON object, put together from what the journal knows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.operations.journal import StepRow

_OURS: Final = frozenset({"status", "message", "operation", "seconds", "steps", "error", "warnings"})
"""Fields that a step's own result cannot change."""


def assemble(
    *,
    status: str,
    operation: str,
    target: Target,
    release: str | None = None,
    previous: str | None = None,
    seconds: float = 0.0,
    rows: Sequence[StepRow] = (),
    extra: dict[str, Any] | None = None,
    error: IkomaError | None = None,
    warnings: Sequence[dict[str, Any]] = (),
    lang: str = "en",
) -> dict[str, Any]:
    """Return the object that ends an operation. Its shape is documented and only ever grows.

    What undone steps had added is left out. A step that fails may leave what stays (migrations that were committed)
    in its note ``result``.
    """
    base: dict[str, Any] = {
        "status": status,
        "message": _message(status if rows or not error else "refused", target, error, lang),
        "app": target.app,
        "environment": target.environment,
        "release": release,
        "previous": previous,
        "operation": operation,
        "seconds": round(seconds, 3),
        "steps": [_step(row) for row in rows],
        "services": {},
        "migrations": {"applied": [], "pending": []},
        "error": error.to_json(lang) if error else None,
        "warnings": list(warnings),
    }
    for contribution in [*map(_contribution, rows), extra or {}]:
        base |= {key: value for key, value in contribution.items() if key not in _OURS}
    return base


def _step(row: StepRow) -> dict[str, Any]:
    return {"name": row.name, "status": row.status, "seconds": round(row.seconds, 3), "detail": row.detail}


def _contribution(row: StepRow) -> dict[str, Any]:
    if row.status == "undone":
        return {}
    left = row.facts.get("result", {})
    return left | row.result if isinstance(left, dict) else row.result


def _message(status: str, target: Target, error: IkomaError | None, lang: str) -> str:
    step = (error.step if error else None) or "-"
    return messages.text(f"operation.end.{status.lower()}", {"target": target, "step": step}, lang)
