"""What a guard-rail says about a migration: its kinds, a finding, and what is known of the database. Pure.

The rules themselves look at statements through PostgreSQL's grammar (``agent.database.guard``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from agent.model.errors import IkomaError

Kind = Literal["loss", "running", "platform", "exposed", "locks", "hygiene"]

SMALL_BYTES: Final = 8 << 20
"""A table up to this size is read, rewritten or indexed within a fraction of a second."""

BLOCKING: Final[frozenset[Kind]] = frozenset({"loss", "running", "platform", "exposed"})

RULES: Final[dict[str, Kind]] = {
    "drop-table": "loss", "drop-column": "loss", "drop-schema": "loss", "drop-database": "loss",
    "drop-cascade": "loss", "truncate": "loss", "delete-all": "loss", "update-all": "loss",
    "loses-rows": "loss", "drop-owned": "loss",
    "drop-object": "running", "rename": "running", "column-type": "running", "not-null": "running",
    "column-required": "running", "new-constraint": "running", "drop-constraint": "running", "default": "running",
    "replace": "running", "trigger": "running", "row-security": "running", "revoke": "running",
    "changes-rows": "running", "dynamic-sql": "running", "unsure": "running",
    "platform-schema": "platform", "copy-program": "platform", "alter-system": "platform",
    "table-without-rls": "exposed", "rls-off": "exposed",
    "index-blocks": "locks", "constraint-scans": "locks", "constraint-builds-index": "locks", "not-null-scans": "locks",
    "table-rewrite": "locks", "lock-table": "locks", "refresh-blocks": "locks", "attach-scans": "locks",
    "index-drop-blocks": "locks", "fills-column": "locks", "squawk": "locks",
    "grant-anon": "hygiene", "grant-public": "hygiene", "security-definer": "hygiene", "default-privileges": "hygiene",
    "view-invoker": "hygiene", "set-role": "hygiene", "triggers-off": "hygiene", "allow-no-reason": "hygiene",
    "allow-unused": "hygiene",
}  # fmt: skip
"""Every rule by the name that a comment allows it with, and what it is about."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view, sequence or index of a live database, and its size."""

    bytes: int = 0
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the judgement may rely on.

    Attributes:
        relations: all of a live database, by ``schema.name``; None where no database is at hand.
        running: a release serves that was made before the files: what it cannot live with blocks.
        anonymous: roles that strangers act as (``anon``); rules about exposed rows only exist where there are any.
        owned: schemas that the app's own migrations make, even if a platform has one of that name.
    """

    relations: Mapping[str, Relation] | None = None
    running: bool = True
    anonymous: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()

    def lacks(self, table: str) -> bool:
        """Whether it is certain that the database has no such relation."""
        return self.relations is not None and table not in self.relations

    def is_empty(self, table: str) -> bool:
        """Whether it is certain that the relation holds no row."""
        return self.relations is not None and (table not in self.relations or self.relations[table].empty)

    def holds_rows(self, aside: Collection[str]) -> bool:
        """Whether a table may hold rows, leaving some schemas aside; views and sequences hold none of their own."""
        return any(
            found.bytes and not found.empty and name.partition(".")[0] not in aside
            for name, found in (self.relations or {}).items()
        )

    def is_small(self, table: str) -> bool:
        """Whether it is certain that the relation is small."""
        found = self.relations.get(table) if self.relations is not None else None
        return self.lacks(table) or (found is not None and found.bytes <= SMALL_BYTES)

    def size(self, table: str) -> str:
        """Return the size of a relation for people, empty where it is not known."""
        found = self.relations.get(table) if self.relations is not None else None
        return f" ({found.bytes / 1e6:.0f} MB)" if found else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement that a guard-rail is about.

    Attributes:
        thing: the object, with its size where it is known.
        breaks: the release that runs may not live with it.
        blocks: it stops the deployment unless somebody allows it.
        reason: why it was allowed in the file; empty when it was not.
        note: what else there is to say (squawk's own words).
    """

    rule: str
    file: str
    line: int
    statement: str
    thing: str = ""
    breaks: bool = False
    blocks: bool = False
    reason: str = ""
    note: str = ""

    @property
    def stops(self) -> bool:
        """Whether it stops a deployment: it blocks, and nobody gave a reason."""
        return self.blocks and not self.reason

    def error(self) -> IkomaError:
        """Return it as what a person reads."""
        stem = self.file.rpartition("/")[2].removesuffix(".sql")
        return IkomaError(
            f"guard.{self.rule}", rule=self.rule, file=self.file, line=self.line, statement=self.statement,
            thing=self.thing, note=self.note, stem=stem,
        )  # fmt: skip

    def to_json(self, lang: str | None = None) -> dict[str, Any]:
        """Return the form of plans and reports."""
        error = self.error()
        return {
            "rule": self.rule, "file": self.file, "line": self.line, "blocks": self.stops, "breaks": self.breaks,
            "allowed": self.reason, "message": error.message(lang), "remedy": error.remedy(lang),
        }  # fmt: skip


def accepted(findings: Collection[Finding], names: Collection[str]) -> list[Finding]:
    """Return what still stops a deployment after its caller accepted files by name (``0014_drop_old``)."""
    words = {name.removesuffix(".sql") for name in names}
    return [item for item in findings if item.stops and item.file.removesuffix(".sql") not in words]


def breaking(findings: Collection[Finding]) -> list[str]:
    """Return the names of the migrations that an earlier release may not live with, in their order."""
    return list(dict.fromkeys(item.file.removesuffix(".sql") for item in findings if item.breaks))


def maintained(stopping: Collection[Finding]) -> list[Finding]:
    """Return those that maintenance mode answers: nobody is served by the release that could not live with them."""
    return [item for item in stopping if item.breaks and RULES[item.rule] == "running"]
