"""A copy of the example suite, changed as a case says, and what the check finds in it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "docs" / "examples" / "suite"
CASES = ROOT / "tests" / "fixtures" / "check"


@dataclass(frozen=True)
class Case:
    """One case: files to write (``None`` removes one), texts to replace, findings that must and must not be there.

    ``app`` is what the check is limited to, as ``--app`` does; nothing when empty.
    """

    rule: str
    name: str
    kind: str
    files: dict[str, str | None] = field(default_factory=dict)
    replace: dict[str, list[list[str]]] = field(default_factory=dict)
    find: list[dict[str, Any]] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    repaired: bool = False
    app: str = ""

    def __str__(self) -> str:
        return f"{self.rule} {self.kind}: {self.name}"


@cache
def load() -> list[Case]:
    """Return every case of the folder, in the order of the files."""
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        document = YAML(typ="safe").load(path)
        found += [Case(rule=document["rule"], **entry) for entry in document["cases"]]
    return found


def copy(target: Path) -> Path:
    """Copy the example suite as git has it: nothing that a build left there."""
    shutil.copytree(SUITE, target, ignore=shutil.ignore_patterns("node_modules", "dist", ".turbo", "*.tsbuildinfo"))
    return target


def build(case: Case, target: Path) -> Path:
    """Make the repository of a case."""
    copy(target)
    for name, pairs in case.replace.items():
        text = (target / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, f"{case}: {name} does not hold {old!r}"
            text = text.replace(old, new) if old else new + text
        (target / name).write_text(text, encoding="utf-8")
    for name, content in case.files.items():
        file = target / name
        if content is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    return target
