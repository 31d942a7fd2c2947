"""The tools of the authoring server: one model each, from which its schema comes and by which a call is judged."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.model.errors import Misuse
from bridge.authoring import place
from bridge.authoring.branch import Git
from bridge.authoring.changes import Draft
from bridge.authoring.drafts import Drafts, check
from bridge.authoring.versions import Versions

_SHOWN: Final = 5


class Tool(BaseModel):
    """What a tool is asked for; its docstring is what an assistant reads.

    Attributes:
        name: the tool's name.
        writes: it changes something on GitHub.
        removes: it takes something away.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    name: ClassVar[str]
    writes: ClassVar[bool] = False
    removes: ClassVar[bool] = False

    @abstractmethod
    def answer(self, desk: Desk) -> dict[str, Any]:
        """Do it. Raises ``IkomaError``."""


@dataclass
class Desk:
    """What the tools work on: one work tree, and its repository on GitHub.

    Attributes:
        repo: the folder that the server was started for.
    """

    repo: Path
    remote: str
    environ: dict[str, str]

    @cached_property
    def git(self) -> Git:
        return place.work_tree(self.repo, self.remote)

    @cached_property
    def drafts(self) -> Drafts:
        below = self.repo.resolve().relative_to(self.git.top)
        return Drafts(self.git, place.api(self.git, self.environ), below)

    @cached_property
    def versions(self) -> Versions:
        return Versions(place.api(self.git, self.environ))


class Check(Tool):
    """Find everything that would stop the build of the work tree as it lies here: findings with file, line and fix."""

    name: ClassVar[str] = "check"
    app: str = Field(default="", description="Only what this app's image needs.")
    changed_since: str = Field(default="", description="Only what changed since this commit.")

    def answer(self, desk: Desk) -> dict[str, Any]:
        words = [f"--app={self.app}"] if self.app else []
        words += [f"--changed-since={self.changed_since}"] if self.changed_since else []
        return check(desk.repo, *words)


class DraftList(Tool):
    """List the drafts that are open on GitHub."""

    name: ClassVar[str] = "drafts"

    def answer(self, desk: Desk) -> dict[str, Any]:
        return {"drafts": desk.drafts.listing()}


class DraftShow(Tool):
    """Show a draft: the files it changes, the state of its checks, and the reports on its pull request."""

    name: ClassVar[str] = "draft_show"
    draft: str = Field(description="The draft's name.")

    def answer(self, desk: Desk) -> dict[str, Any]:
        return desk.drafts.show(self.draft)


class DraftWrite(Tool):
    """Write files into a draft: checked, pushed as one commit to draft/<name>, shown as a draft pull request.

    The person's work tree stays as it is. A second call adds a commit to the same draft. People merge, nobody else.
    """

    name: ClassVar[str] = "draft_write"
    writes: ClassVar[bool] = True
    draft: str = Field(description="The draft's name: lower-case letters, digits and dashes.")
    title: str = Field(description="One line: the commit's message, and the title of the pull request it opens.")
    text: str = Field(default="", description="The pull request's description: what changes, and why. Empty: as it is.")
    files: dict[str, str | None] = Field(
        default={}, description="Path from the top of the repository → the whole new text; null removes the file."
    )
    despite_errors: bool = Field(default=False, description="Push although `bridge check` finds errors in it.")

    def answer(self, desk: Desk) -> dict[str, Any]:
        draft = Draft(self.draft, self.title, self.text, self.files)
        return desk.drafts.write(draft, despite_errors=self.despite_errors)


class DraftDiscard(Tool):
    """Close a draft's pull request without merging it, and remove its branch."""

    name: ClassVar[str] = "draft_discard"
    writes: ClassVar[bool] = True
    removes: ClassVar[bool] = True
    draft: str = Field(description="The draft's name.")

    def answer(self, desk: Desk) -> dict[str, Any]:
        return desk.drafts.discard(self.draft)


class VersionList(Tool):
    """List the versions on GitHub: tag, title, notes, the commit, the files, and the releases that hosts know."""

    name: ClassVar[str] = "versions"
    most: int = Field(default=30, ge=1, le=100, description="How many, the newest first.")

    def answer(self, desk: Desk) -> dict[str, Any]:
        return {"versions": desk.versions.listing(self.most)}


class VersionDraft(Tool):
    """Write title and notes of a version to come, as a draft release on GitHub. Published by a person, it deploys."""

    name: ClassVar[str] = "version_draft"
    writes: ClassVar[bool] = True
    tag: str = Field(description="v1.2.3, or v1.2.3-rc.1 for one that is not final.")
    title: str = Field(default="", max_length=200, description="The tag when empty.")
    notes: str = Field(default="", max_length=60_000, description="What people should know of it, in Markdown.")
    target: str = Field(default="", max_length=200, description="Branch or commit; the main branch when empty.")

    def answer(self, desk: Desk) -> dict[str, Any]:
        target = self.target or desk.git.main_branch()
        return desk.versions.draft(self.tag, self.title, self.notes, target)


TOOLS: Final[dict[str, type[Tool]]] = {
    tool.name: tool for tool in (Check, DraftList, DraftShow, DraftWrite, DraftDiscard, VersionList, VersionDraft)
}


def call(desk: Desk, name: str, arguments: dict[str, Any], *, write: bool) -> dict[str, Any]:
    """Return what a tool answers.

    Args:
        write: tools that write may be called.

    Raises:
        Misuse: ``draft.tool``, ``draft.reads_only``, ``draft.arguments``.
        IkomaError: whatever the tool raises.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise Misuse("draft.tool", tool=name[:80], known=", ".join(TOOLS))
    if tool.writes and not write:
        raise Misuse("draft.reads_only", tool=name)
    try:
        asked = tool.model_validate(arguments)
    except ValidationError as error:
        raise Misuse("draft.arguments", tool=name, problems=_problems(error)) from None
    work: Callable[[Desk], dict[str, Any]] = asked.answer
    return work(desk)


def _problems(error: ValidationError) -> str:
    """Return what is wrong with which argument, without repeating its value: it may be long, or a secret."""
    found = [f"{'.'.join(str(part) for part in item['loc'])[:80]}: {item['msg']}" for item in error.errors()]
    return "; ".join(found[:_SHOWN])
