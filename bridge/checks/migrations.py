"""The migrations of a repository, as the rules about them see them: which there are, and which are new."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.model.errors import IkomaError
from agent.model.guardrails import Known
from agent.model.migrations import in_order
from agent.model.names import MIGRATION_FILE
from bridge.workspace import git

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

_ANONYMOUS: Final = re.compile(r"\b(?:to|from)\s+(?:\w+\s*,\s*)*(anon|authenticated)\b", re.IGNORECASE)
_FOLDERS: Final = ("migrations", "supabase/migrations")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of migrations.

    Attributes:
        names: its .sql files, in the order of their versions; those that have none come last.
        owned: the schemas that the contract gives to them.
    """

    path: str
    names: tuple[str, ...]
    owned: frozenset[str]

    def file(self, name: str) -> str:
        """Return the path of a file in the repository."""
        return f"{self.path}/{name}"


@dataclass(frozen=True, slots=True)
class Pending:
    """The files that the next deployment applies; ``since`` names the commit that says so, empty where nothing does."""

    names: tuple[str, ...]
    since: str


def folder(facts: Facts) -> Folder | None:
    """Return the folder that the contract names, or the usual one; None where there is none."""
    stated = facts.contract
    path, owned = "", frozenset({"public"})
    if stated is not None and not isinstance(stated, IkomaError):
        if stated.migrations is False:
            return None
        path, owned = stated.migrations.folder.strip("/"), frozenset(stated.migrations.schemas)
    for place in [path] if path else _FOLDERS:
        names = [name for name in _children(facts, place) if name.endswith(".sql")]
        if names:
            known = in_order(name for name in names if MIGRATION_FILE.fullmatch(name))
            return Folder(place, (*known, *sorted(set(names) - set(known))), owned)
    return None


def _children(facts: Facts, place: str) -> list[str]:
    prefix = f"{place}/"
    return [
        path[len(prefix) :] for path in facts.tree.files if path.startswith(prefix) and "/" not in path[len(prefix) :]
    ]


def named(found: Folder) -> list[str]:
    """Return the files that have the name of a migration, in their order."""
    return [name for name in found.names if MIGRATION_FILE.fullmatch(name)]


def pending(facts: Facts, found: Folder) -> Pending:
    """Return what is new: since the commit that was asked about, else since the last release's tag, else all of it."""
    known = named(found)
    if facts.changed is not None:
        return Pending(_changed(found, known, facts.changed), "the commit compared with")
    tags = git.release_tags(facts.root)
    for tag in tags:
        if names := _changed(found, known, git.changed(facts.root, tag) or set()):
            return Pending(names, tag)
    return Pending((), tags[-1]) if tags else Pending(tuple(known), "")


def _changed(found: Folder, known: Sequence[str], changed: set[str] | frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in known if found.file(name) in changed)


def known(facts: Facts, found: Folder, *, running: bool) -> Known:
    """Return what can be said without a database: whether strangers have a role is read from the files."""
    texts = (facts.tree.text(found.file(name)) for name in found.names)
    strangers = found.path.startswith("supabase/") or any(_ANONYMOUS.search(text) for text in texts)
    return Known(None, running, frozenset({"anon", "authenticated"} if strangers else ()), found.owned)
