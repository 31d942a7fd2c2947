"""IKB205: files that macOS leaves behind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB205"

_MAGIC = b"\0\5\x16\7"
_PARSED = re.compile(r"\.(?:[cm]?[jt]sx?|json|ya?ml|css|scss|vue|svelte|astro|mdx?|sql|html|prisma)$")


def check(facts: Facts) -> Iterable[Finding]:
    for path in (*facts.tree.files, *facts.tree.ignored):
        name = path.rpartition("/")[2]
        if name == ".DS_Store":
            yield _finding(path, Severity.WARNING, f"{path} is a file of the macOS Finder.")
        elif name.startswith("._") and _is_double(facts, path, name):
            broken = bool(_PARSED.search(name))
            what = "; linters, compilers and migrations read it as a source and fail" if broken else ""
            message = f"{path} is an AppleDouble file that macOS wrote beside {name[2:]}{what}."
            yield _finding(path, Severity.ERROR if broken else Severity.WARNING, message)


def _is_double(facts: Facts, path: str, name: str) -> bool:
    sibling = path[: len(path) - len(name)] + name[2:]
    return facts.tree.read(path).startswith(_MAGIC) or facts.tree.exists(sibling)


def _finding(path: str, severity: Severity, message: str) -> Finding:
    fix = f"git rm --cached --ignore-unmatch '{path}'; rm '{path}'; and name ._* and .DS_Store in .gitignore"
    return Finding(ID, severity, path, 1, 1, message, path.rpartition("/")[2], fix=fix)


RULE = Rule(
    ID,
    "macos-files",
    Severity.ERROR,
    "D7",
    "On file systems that are not its own, macOS keeps what it knows about a file in a second one whose name starts "
    "with ._ , and folders get a .DS_Store. They are binary, carry the extension of a source, and travel in "
    "archives and build contexts: linters, compilers and migration runners read them and fail.",
    check,
)
