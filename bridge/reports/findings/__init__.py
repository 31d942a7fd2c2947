"""The faces of a check: text, JSON, GitHub annotations, SARIF. A module here that defines ``render`` is a face."""

from __future__ import annotations

import importlib
import pkgutil

from bridge.checks.engine import Report


def names() -> list[str]:
    """Return the names of all faces."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def render(name: str, report: Report) -> str:
    """Return ``report`` as the face ``name`` shows it."""
    face = importlib.import_module(f"{__name__}.{name}")
    return str(face.render(report))
