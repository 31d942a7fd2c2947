"""The rules, one small file each: a module here that defines ``RULE`` is a rule."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from bridge.checks.model import Rule


@cache
def all_rules() -> dict[str, Rule]:
    """Return every rule by id, in order. Raises ``ValueError`` when two have the same id."""
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(__path__):
        rule: Rule = importlib.import_module(f"{__name__}.{module.name}").RULE
        if rule.id in found:
            raise ValueError(f"rule defined twice: {rule.id}")
        found[rule.id] = rule
    return dict(sorted(found.items()))
