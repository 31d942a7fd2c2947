"""The verbs: one file each, and an index of plain data that is read without importing what they need.

A verb is declared once. Either it is one file of ``single``, which holds all there is of it; or it belongs to a family
whose table stands in ``index``, because its work imports at the top what no mere look at the index may pay for.
Both folders are read as they are: nothing lists their files.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from agent.capabilities.index import Capability

Index = Mapping[str, Capability]

SINGLE: Final = f"{__name__}.single"
"""Where a capability is one file."""


def _names(folder: str) -> list[str]:
    files = Path(__file__).with_name(folder).glob("*.py")
    return sorted(file.stem for file in files if file.stem != "__init__")


def _declared() -> Iterator[Capability]:
    for name in _names("index"):
        yield from importlib.import_module(f"{__name__}.index.{name}").TABLE
    for name in _names("single"):
        yield importlib.import_module(f"{SINGLE}.{name}").CAPABILITY


def _table() -> dict[str, Capability]:
    """Return all capabilities by name, in the order of their names. Raises ``ValueError`` for one declared twice."""
    declared = sorted(_declared(), key=lambda one: one.name)
    table = {one.name: one for one in declared}
    if len(table) != len(declared):
        raise ValueError("a capability is declared twice")
    return table


CAPABILITIES: Final[Index] = _table()
